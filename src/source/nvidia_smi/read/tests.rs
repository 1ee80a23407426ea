//! Outputs of real drivers of several versions, and what is made of broken ones.

use proptest::prelude::*;

use super::*;
use crate::model::gpu::smi;

macro_rules! recorded {
    ($name:literal) => {
        include_str!(concat!(
            "../../../../tests/fixtures/nvidia_smi/",
            $name,
            ".xml"
        ))
    };
}

const ALL: [&str; 8] = [
    recorded!("gtx-1070-ti"),
    recorded!("a10g"),
    recorded!("tesla-t4"),
    recorded!("quadro-p2000-v12"),
    recorded!("a100-sxm4-v12"),
    recorded!("rtx-3060-v12"),
    recorded!("rtx-3080-v13"),
    recorded!("rtx-4000-sff-ada-v13"),
];

fn first(text: &str) -> Card {
    read(text).expect("whole").cards.remove(0)
}

fn value(told: &Told, name: &str) -> Option<f64> {
    told.get(name).map(|(_, value)| *value)
}

#[test]
fn every_version_tells_its_card_and_no_word_becomes_a_number() {
    for text in ALL {
        let read = read(text).expect("whole");
        assert_eq!(read.cards.len(), 1);
        let card = &read.cards[0];
        assert!(
            card.uuid.starts_with("GPU-") && !card.model.is_empty(),
            "{card:?}"
        );
        assert!(card.bus.starts_with("0000"), "{card:?}");
        assert!(value(&card.told, smi::TEMPERATURE).is_some(), "{card:?}");
        assert!(
            value(&card.told, smi::TOTAL).is_some_and(|b| b > 1e9),
            "{card:?}"
        );
        let all = card.told.values();
        assert!(
            all.clone().all(|(_, v)| v.is_finite() && *v >= 0.0),
            "{card:?}"
        );
    }
}

#[test]
fn values_are_those_of_the_output_in_the_units_of_the_series() {
    let card = first(recorded!("a10g"));
    let told = |name| value(&card.told, name);
    assert_eq!(told(smi::POWER), Some(25.58));
    assert_eq!(told(smi::POWER_LIMIT), Some(300.0));
    assert_eq!(told(smi::TEMPERATURE), Some(17.0));
    assert_eq!(told(smi::MEMORY_TEMPERATURE), None, "N/A");
    assert_eq!(told(smi::ROW_PENDING), Some(0.0));
    assert_eq!(told(smi::ROWS_UNCORRECTED), Some(0.0));
    assert_eq!(told(smi::ECC_UNCORRECTED), Some(0.0));

    let read = read(recorded!("rtx-4000-sff-ada-v13")).expect("whole");
    assert_eq!(
        (read.driver.as_str(), read.cuda.is_empty()),
        ("595.84", false)
    );
    let card = &read.cards[0];
    let told = |name| value(&card.told, name);
    assert_eq!(told(smi::FAN), Some(30.0));
    assert_eq!(told(smi::POWER), Some(8.81), "the average");
    assert_eq!(told(smi::POWER_LIMIT), Some(70.0));
    assert_eq!(told(smi::TOTAL), Some(20_475.0 * 1_048_576.0));
    assert_eq!(told(smi::CLOCK), Some(210e6));
    assert_eq!(told(smi::REASONS), Some(1.0), "idle");
    assert_eq!(told(smi::ECC_CORRECTED), None, "ECC is off");
    assert_eq!(card.processes.len(), 4);
    let python = card
        .processes
        .iter()
        .find(|p| p.name == "python")
        .expect("python");
    assert_eq!((python.pid.as_str(), python.kind.as_str()), ("4937", "C"));
    assert_eq!(python.memory_bytes, Some(160.0 * 1_048_576.0));

    let old = first(recorded!("quadro-p2000-v12"));
    assert_eq!(value(&old.told, smi::ECC_UNCORRECTED), None);
    assert_eq!(
        value(&first(recorded!("gtx-1070-ti")).told, smi::POWER),
        None
    );
    let reset = first(recorded!("rtx-3060-v12"));
    assert_eq!(value(&reset.told, smi::RECOVERY), Some(0.0), "None");
}

#[test]
fn parts_of_a_card_have_their_own_memory() {
    let card = first(recorded!("a100-sxm4-v12"));
    let instances: Vec<&str> = card.parts.iter().map(|p| p.instance.as_str()).collect();
    assert_eq!(instances, ["3", "4", "5", "6"]);
    for part in &card.parts {
        assert_eq!(value(&part.told, smi::TOTAL), Some(19_968.0 * 1_048_576.0));
        assert_eq!(value(&part.told, smi::USED), Some(12.0 * 1_048_576.0));
    }
    assert_eq!(value(&card.told, smi::TOTAL), Some(81_920.0 * 1_048_576.0));
    assert_eq!(value(&card.told, smi::UTILISATION), None, "N/A under MIG");
    assert_eq!(value(&card.told, smi::POWER_LIMIT), Some(500.0));
}

/// One card that says this of its fan, its memory in use, its ECC errors and its remapping.
fn said(word: &str) -> Card {
    first(&format!(
        "<nvidia_smi_log><gpu id=\"x\"><uuid>GPU-1</uuid><fan_speed>{word}</fan_speed>\
         <fb_memory_usage><used>{word}</used></fb_memory_usage>\
         <ecc_errors><volatile><dram_uncorrectable>{word}</dram_uncorrectable></volatile></ecc_errors>\
         <remapped_rows><remapped_row_pending>{word}</remapped_row_pending></remapped_rows>\
         <clocks_event_reasons><clocks_event_reason_hw_slowdown>{word}</clocks_event_reason_hw_slowdown>\
         </clocks_event_reasons><gpu_recovery_action>{word}</gpu_recovery_action></gpu></nvidia_smi_log>"
    ))
}

#[test]
fn words_for_no_value_are_no_values() {
    for word in [
        "N/A",
        "[N/A]",
        "[Not Supported]",
        "Unknown Error",
        "[Unknown Error]",
        "[GPU requires reset]",
        "GPU is lost",
        "Requested functionality has been deprecated",
        "Pending",
        "NaN",
        "inf",
        "-3",
        "1e3",
        "",
        " ",
        "%",
        "30 W",
        "5 5",
    ] {
        let card = said(word);
        assert_eq!(card.told, Told::new(), "{word}");
    }
    assert_eq!(value(&said("30 %").told, smi::FAN), Some(30.0));
    assert_eq!(value(&said("7").told, smi::ECC_UNCORRECTED), Some(7.0));
    assert_eq!(value(&said("Yes").told, smi::ROW_PENDING), Some(1.0));
    assert_eq!(value(&said("Active").told, smi::REASONS), Some(8.0));
    assert_eq!(
        value(&said("Drain and Reset").told, smi::RECOVERY),
        Some(4.0)
    );
}

#[test]
fn what_is_no_whole_output_is_an_error_that_says_so() {
    let whole = recorded!("a10g");
    for (text, why) in [
        ("", "ends in the middle"),
        (
            "NVIDIA-SMI has failed because it could not communicate",
            "ends in the middle",
        ),
        ("<html><body>403</body></html>", "<html>"),
        (&whole[..whole.len() / 2], "ends in the middle"),
        ("<nvidia_smi_log><gpu></nvidia_smi_log>", "no whole XML"),
        (&"<nvidia_smi_log>".repeat(40), "too deep"),
        (
            &format!(
                "<nvidia_smi_log>{}</nvidia_smi_log>",
                "<gpu></gpu>".repeat(65)
            ),
            "64 cards",
        ),
    ] {
        let error = read(text).expect_err(why);
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn entities_and_hostile_text_are_plain_text() {
    let text = "<nvidia_smi_log><gpu><uuid>GPU-1</uuid><product_name>A &amp; B&#27;[31m\u{202e}&nope;\
                <b/></product_name></gpu></nvidia_smi_log>";
    let card = first(text);
    assert!(
        !card.model.contains(['\u{1b}', '\u{202e}']),
        "{:?}",
        card.model
    );
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;\">]>\
                <nvidia_smi_log><driver_version>&b;</driver_version></nvidia_smi_log>";
    assert_eq!(
        read(bomb).expect("read").driver,
        "",
        "own entities are not followed"
    );
}

proptest! {
    #[test]
    fn a_recorded_output_may_be_cut_or_broken_anywhere(
        which in 0..ALL.len(),
        at in 0.0..1.0_f64,
        with in "[<>/&;a-z0-9% \"]{0,8}",
    ) {
        let text = ALL[which];
        let mut cut = (text.len() as f64 * at) as usize;
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        let (head, rest) = text.split_at(cut);
        prop_assert!(read(head).is_err() || rest.trim().is_empty());
        let _ = read(&format!("{head}{with}{rest}"));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(<nvidia_smi_log>)?(<gpu>)?\\PC{0,200}") {
        let _ = read(&text);
    }

    #[test]
    fn numbers_survive(whole in 0..2_000_000_u32, part in 0..100_u32) {
        let card = said(&format!("{whole}.{part:02} MiB"));
        let told = value(&card.told, smi::USED).expect("a number") / 1_048_576.0;
        prop_assert!((told - f64::from(whole) - f64::from(part) / 100.0).abs() < 1e-6);
    }
}
