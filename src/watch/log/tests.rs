use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use super::*;

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn logged(form: LogForm, say: impl FnOnce()) -> String {
    let kept = Kept::default();
    let lines = tracing_subscriber::fmt::layer()
        .event_format(Lines(form))
        .with_writer(kept.clone());
    let subscriber = tracing_subscriber::registry().with(lines);
    tracing::subscriber::with_default(subscriber, say);
    let bytes = kept.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

fn say() {
    tracing::warn!(
        cluster = "alpha",
        count = 3,
        ratio = 0.5,
        "two\nlines \u{1b}[31mred"
    );
    tracing::error!(error = %"GET http://u:hunter2hunter2@h/: refused", "Authorization: Bearer abcdefgh12345678");
}

#[test]
fn json_is_one_object_a_line_without_secrets() {
    let text = logged(LogForm::Json, say);
    let lines: Vec<Value> = text
        .lines()
        .map(|l| serde_json::from_str(l).expect(l))
        .collect();
    assert_eq!(lines.len(), 2, "{text}");
    let keys: Vec<&String> = lines[0].as_object().unwrap().keys().collect();
    for key in ["time", "level", "target", "message", "fields"] {
        assert!(keys.iter().any(|k| *k == key), "{key}: {keys:?}");
    }
    assert_eq!(lines[0]["level"], "warn");
    assert_eq!(lines[0]["message"], "two lines red");
    assert_eq!(lines[0]["fields"]["cluster"], "alpha");
    assert_eq!(lines[0]["fields"]["count"], 3);
    assert_eq!(lines[0]["fields"]["ratio"], 0.5);
    assert!(lines[0]["time"].as_str().unwrap().ends_with('Z'));
    assert!(
        !text.contains("hunter2") && !text.contains("abcdefgh12345678"),
        "{text}"
    );
}

#[test]
fn text_is_one_line_without_secrets() {
    let text = logged(LogForm::Text, say);
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(
        text.contains(
            " warn  farwatch::watch::log::tests: two lines red cluster=\"alpha\" count=3"
        ),
        "{text}"
    );
    assert!(
        !text.contains("hunter2") && !text.contains('\u{1b}'),
        "{text}"
    );
}
