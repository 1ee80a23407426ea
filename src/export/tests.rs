use super::*;
use crate::model::dashboard::Form;
use crate::model::export::{Cell, Exported, HeatExport, LinesExport, SeriesExport, TableExport};
use crate::model::label::Labels;
use crate::model::log::{Level, LineRef};
use crate::model::sample::Sample;
use crate::model::time::Timestamp;
use crate::model::unit::Unit;
use std::os::unix::fs::PermissionsExt as _;

const START: i64 = 1_795_230_000_000;

fn export(format: Format, form: Form) -> Export {
    Export {
        format,
        at: Timestamp(START),
        kept: Kept::Series(curves(form)),
    }
}

fn curves(form: Form) -> SeriesExport {
    let series = |name: &str, values: &[(i64, f64)]| Exported {
        name: name.into(),
        cluster: "edge-07".into(),
        metric: "node_load1".into(),
        labels: Labels::from_pairs([("instance", "n1")]),
        points: values
            .iter()
            .map(|(s, value)| Sample {
                at: Timestamp(START + s * 1000),
                value: *value,
            })
            .collect::<Vec<_>>()
            .into(),
    };
    SeriesExport {
        title: "Load of <nodes> & more".into(),
        query: "node_load1 > 1".into(),
        origin: "edge-07 at 03:00:00Z".into(),
        unit: Unit::Seconds,
        form,
        from: Timestamp(START),
        to: Timestamp(START + 60_000),
        step_ms: 15_000,
        series: vec![
            series("=n1", &[(0, 1.5), (15, f64::NAN), (30, -2.0)]),
            series("n2, \"b\"", &[(15, 0.1), (30, f64::INFINITY)]),
        ],
        heat: None,
    }
}

#[test]
fn a_table_has_a_row_for_each_time() {
    let text = String::from_utf8(series::csv(&curves(Form::Lines))).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "\"time\",\"'=n1\",\"n2, \"\"b\"\"\"");
    assert_eq!(lines[1], "\"2026-11-21T03:00:00.000Z\",1.5,\"\"");
    assert_eq!(lines[2], "\"2026-11-21T03:00:15.000Z\",NaN,0.1");
    assert!(
        lines[3].starts_with("\"2026-11-21T03:00:30.000Z\",-2,"),
        "{}",
        lines[3]
    );
    assert!(lines[3].contains("+Inf"));
    assert_eq!(lines.len(), 4);
}

#[test]
fn json_is_what_prometheus_would_answer() {
    let bytes = series::json(&curves(Form::Lines));
    let value: serde_json::Value = serde_json::from_slice(&bytes).expect("json");
    let first = &value["data"]["result"][0];
    assert_eq!(first["metric"]["__name__"], "node_load1");
    assert_eq!(first["metric"]["cluster"], "edge-07");
    assert_eq!(
        first["values"][1],
        serde_json::json!([1_795_230_015.0, "NaN"])
    );
    assert_eq!(value["data"]["result"][1]["values"][1][1], "+Inf");
    assert_eq!(value["step_s"], 15.0);
}

#[test]
fn pictures_are_drawn() {
    for form in [Form::Lines, Form::Stacked] {
        let svg = picture::svg(&curves(form)).expect("a picture");
        assert!(
            svg.starts_with("<svg") && svg.contains("edge-07 at 03:00:00Z"),
            "{svg}"
        );
        assert!(svg.contains("Load of &lt;nodes&gt; &amp; more"), "{svg}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");

        let png = picture::png(&curves(form)).expect("a picture");
        let mut reader = png::Decoder::new(std::io::Cursor::new(&png))
            .read_info()
            .expect("png");
        let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
        let frame = reader.next_frame(&mut pixels).expect("pixels");
        assert_eq!((frame.width, frame.height), (1280, 720));
        let blue = pixels.chunks(3).filter(|p| *p == [0, 114, 178]).count();
        let dark = pixels
            .chunks(3)
            .filter(|p| p.iter().all(|c| *c < 60))
            .count();
        assert!(blue > 50, "the first curve: {blue}");
        assert!(dark > 200, "its title: {dark}");
    }
    let mut empty = curves(Form::Lines);
    empty.series.clear();
    empty.to = empty.from;
    assert!(picture::svg(&empty).is_ok());
    let mut many = curves(Form::Lines);
    many.series = vec![many.series[0].clone(); 20];
    assert!(
        picture::svg(&many)
            .expect("a picture")
            .contains("and 4 more")
    );
}

#[test]
fn files_take_nobodys_place_and_are_for_their_owner() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut names = Vec::new();
    for _ in 0..2 {
        let (path, bytes) =
            write(&export(Format::Csv, Form::Lines), folder.path()).expect("written");
        let meta = std::fs::metadata(&path).expect("there");
        assert_eq!(meta.len(), bytes as u64);
        assert_eq!(meta.permissions().mode() & 0o777, 0o600);
        names.push(
            path.file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned(),
        );
    }
    assert_eq!(
        names,
        [
            "farwatch-20261121T030000Z.csv",
            "farwatch-20261121T030000Z-2.csv"
        ]
    );
    let fault = write(
        &export(Format::Csv, Form::Lines),
        &folder.path().join("none"),
    );
    let fault = fault.expect_err("no folder").to_string();
    assert!(
        fault.contains("none/farwatch-2026") && fault.contains("[ui] exports"),
        "{fault}"
    );
}

#[test]
fn lines_are_written_in_their_forms_and_for_their_owner() {
    let labels = Labels::from_pairs([("app", "cart"), ("pod", "cart-1")]);
    let lines = LinesExport::new(false, move |take| {
        for (n, text) in ["=cmd|' /C calc'!A1", "plain \"x\""].iter().enumerate() {
            take(
                "edge-07",
                LineRef {
                    at_ns: START * 1_000_000 + n as i64,
                    labels: &labels,
                    line: text,
                    level: Level::Error,
                },
            );
        }
    });
    let folder = tempfile::tempdir().expect("a folder");
    let kept = |format| {
        let export = Export {
            format,
            at: Timestamp(START),
            kept: Kept::Lines(lines.clone()),
        };
        let (path, size) = write(&export, folder.path()).expect("written");
        let meta = std::fs::metadata(&path).expect("there");
        assert_eq!(
            (meta.permissions().mode() & 0o777, meta.len()),
            (0o600, size as u64)
        );
        std::fs::read_to_string(path).expect("text")
    };
    assert_eq!(kept(Format::Text), "=cmd|' /C calc'!A1\nplain \"x\"\n");
    let csv = kept(Format::Csv);
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(
        rows[1],
        "\"2026-11-21T03:00:00.000000000Z\",\"cart\",\"cart-1\",\"\",\"ERROR\",\"'=cmd|' /C calc'!A1\""
    );
    for line in kept(Format::Json).lines() {
        let value: serde_json::Value = serde_json::from_str(line).expect("json");
        assert_eq!(value["cluster"], "edge-07");
        assert_eq!(value["labels"]["pod"], "cart-1");
    }
    let picture = Export {
        format: Format::Png,
        at: Timestamp(START),
        kept: Kept::Lines(lines.clone()),
    };
    let before = std::fs::read_dir(folder.path()).expect("folder").count();
    assert!(write(&picture, folder.path()).is_err());
    let after = std::fs::read_dir(folder.path()).expect("folder").count();
    assert_eq!(before, after, "nothing is left");
}

#[test]
fn a_heat_map_is_drawn_as_one_and_says_what_its_cells_count() {
    let heat = HeatExport {
        bounds: vec![0.1, 0.5, f64::INFINITY],
        unit: Unit::Seconds,
        cells: vec![
            vec![Some(4.0), Some(1.0), None],
            vec![Some(0.0), Some(9.0), Some(2.0)],
            vec![None, None, None],
        ],
        most: 9.0,
        counts: "each row alone".into(),
    };
    let export = SeriesExport {
        heat: Some(heat),
        ..curves(Form::Lines)
    };
    let svg = picture::svg(&export).expect("a picture");
    for wanted in ["100 ms", "500 ms", "each row alone", "edge-07 at 03:00:00Z"] {
        assert!(svg.contains(wanted), "no {wanted} in {svg}");
    }
    assert!(!svg.contains("#0072B2"), "no curve is drawn: {svg}");
    // The darkest cell, and the seven shades and the nothing of what is known; unknown is white.
    assert!(svg.contains("#08306B"), "{svg}");
    assert!(svg.contains("#F6F6F2"), "a known nothing: {svg}");
    assert!(picture::png(&export).is_ok());
    let empty = SeriesExport {
        heat: Some(HeatExport::default()),
        ..curves(Form::Lines)
    };
    assert!(picture::svg(&empty).is_ok());
}

#[test]
fn lists_are_tables_and_no_pictures() {
    let list = TableExport {
        title: "traces".into(),
        columns: ["trace", "duration_ms", "start", "note"]
            .map(str::to_owned)
            .to_vec(),
        rows: vec![
            vec![
                Cell::Text("=1+1".into()),
                Cell::Number(1.5),
                Cell::Time(Timestamp(START)),
                Cell::Nothing,
            ],
            vec![
                Cell::Nothing,
                Cell::Number(f64::NAN),
                Cell::Nothing,
                Cell::text(""),
            ],
        ],
        ..TableExport::default()
    };
    let text = String::from_utf8(table::csv(&list)).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            "\"trace\",\"duration_ms\",\"start\",\"note\"",
            "\"'=1+1\",1.5,\"2026-11-21T03:00:00.000Z\",\"\"",
            "\"\",NaN,\"\",\"\"",
        ]
    );
    let value: serde_json::Value = serde_json::from_slice(&table::json(&list)).expect("json");
    assert_eq!(value["rows"][0]["trace"], "=1+1");
    assert_eq!(value["rows"][0]["duration_ms"], 1.5);
    assert_eq!(value["rows"][1]["duration_ms"], "NaN");
    assert!(value["rows"][1]["start"].is_null());
    let folder = tempfile::tempdir().expect("a folder");
    let picture = Export {
        format: Format::Png,
        at: Timestamp(START),
        kept: Kept::Table(list),
    };
    let fault = write(&picture, folder.path())
        .expect_err("no picture")
        .to_string();
    assert!(fault.contains("Ctrl-s c"), "{fault}");
}

#[test]
fn the_servers_own_cluster_label_stands_beside_ours() {
    let mut curves = curves(Form::Lines);
    for (one, cluster) in curves.series.iter_mut().zip(["west", "east"]) {
        one.labels = Labels::from_pairs([("cluster", cluster)]);
    }
    let value: serde_json::Value = serde_json::from_slice(&series::json(&curves)).expect("json");
    for (place, cluster) in ["west", "east"].into_iter().enumerate() {
        let metric = &value["data"]["result"][place]["metric"];
        assert_eq!(metric["exported_cluster"], cluster, "{metric}");
        assert_eq!(metric["cluster"], "edge-07");
    }
    // Of several clusters together, it is the server's.
    curves.series[0].cluster.clear();
    let value: serde_json::Value = serde_json::from_slice(&series::json(&curves)).expect("json");
    assert_eq!(value["data"]["result"][0]["metric"]["cluster"], "west");
}
