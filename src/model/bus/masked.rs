//! A message without what looks like a credential, for a model and for recordings.

use std::sync::Arc;

use super::{Content, Encoding, Message, Part, Row, Shape, Tail};
use crate::model::redact::{is_secret, redact};

const MASK: &str = "[redacted]";

impl Tail {
    pub fn masked(&self) -> Self {
        Self {
            messages: self.messages.iter().map(Message::masked).collect(),
            ..self.clone()
        }
    }
}

impl Message {
    pub fn masked(&self) -> Self {
        let header = |(name, value): &(Arc<str>, Arc<str>)| {
            let value = match is_secret(name) {
                true => MASK.into(),
                false => shared(value),
            };
            (name.clone(), value)
        };
        Self {
            subject: shared(&self.subject),
            headers: self.headers.iter().map(header).collect(),
            content: self.content.masked(),
            ..self.clone()
        }
    }
}

impl Content {
    /// The first bytes as they came are kept where all of them were read and nothing was masked.
    fn masked(&self) -> Self {
        let rows = match self.encoding {
            Encoding::Text => lines(&self.rows),
            _ => values(&self.rows),
        };
        let raw = String::from_utf8_lossy(&self.head);
        let bare = self.encoding != Encoding::Binary && rows == self.rows && redact(&raw) == raw;
        Self {
            head: if bare { self.head.clone() } else { [].into() },
            rows,
            ..self.clone()
        }
    }
}

/// A credential may go over several lines.
fn lines(rows: &[Row]) -> Vec<Row> {
    let lines: Vec<&str> = rows.iter().map(|row| &*row.value).collect();
    let whole = lines.join("\n");
    let masked = redact(&whole);
    if masked == whole {
        return rows.to_vec();
    }
    let row = |line: &str| Row {
        depth: 0,
        part: Part::Root,
        shape: Shape::Text,
        value: line.into(),
    };
    masked.split('\n').map(row).collect()
}

/// What stands under the name of a secret is masked with all that it holds.
fn values(rows: &[Row]) -> Vec<Row> {
    let mut secret_at: Option<u8> = None;
    let row = |row: &Row| {
        if secret_at.is_some_and(|depth| row.depth <= depth) {
            secret_at = None;
        }
        let named = matches!(&row.part, Part::Key(key) if is_secret(key));
        if named && secret_at.is_none() {
            secret_at = Some(row.depth);
        }
        let plain = matches!(
            row.shape,
            Shape::Map | Shape::List | Shape::Nil | Shape::Bool
        );
        let value = match (plain, secret_at) {
            (true, _) => row.value.clone(),
            (false, Some(_)) => MASK.into(),
            (false, None) => shared(&row.value),
        };
        Row {
            value,
            ..row.clone()
        }
    };
    rows.iter().map(row).collect()
}

fn shared(text: &Arc<str>) -> Arc<str> {
    let masked = redact(text);
    match masked == **text {
        true => text.clone(),
        false => masked.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(depth: u8, key: &str, shape: Shape, value: &str) -> Row {
        Row {
            depth,
            part: Part::Key(key.into()),
            shape,
            value: value.into(),
        }
    }

    fn masked(encoding: Encoding, rows: Vec<Row>, head: &[u8]) -> Content {
        let content = Content {
            encoding,
            rows,
            cut: false,
            head: head.into(),
        };
        content.masked()
    }

    #[test]
    fn what_bears_a_secret_name_is_masked_with_all_it_holds() {
        let rows = vec![
            row(1, "user", Shape::Text, "anna"),
            row(1, "dbPassword", Shape::Text, "hunter2"),
            row(1, "credentials", Shape::Map, "2"),
            row(2, "key", Shape::Bytes, "3 bytes: 68 75 6e"),
            row(2, "list", Shape::List, "1"),
            row(3, "pin", Shape::Int, "2222"),
            row(1, "total_tokens", Shape::Int, "331"),
            row(1, "note", Shape::Text, r#"{"api_key": "hunter2hunter2"}"#),
        ];
        let content = masked(Encoding::MessagePack, rows, b"\x84\xa4user");
        let told: Vec<&str> = content.rows.iter().map(|r| &*r.value).collect();
        let wanted = ["anna", MASK, "2", MASK, "1", MASK, "331"];
        assert_eq!(told[..7], wanted);
        assert!(!told[7].contains("hunter2"), "{}", told[7]);
        assert!(content.head.is_empty());
    }

    #[test]
    fn bytes_stay_where_they_say_no_more_than_the_rows() {
        let plain = vec![row(1, "kind", Shape::Text, "ptp")];
        let kept = masked(Encoding::Json, plain.clone(), b"{\"kind\":\"ptp\"}");
        assert_eq!((kept.rows, kept.head.len()), (plain.clone(), 14));
        // Beyond the rows that are kept, and where nothing could be read.
        for (encoding, head) in [
            (
                Encoding::Json,
                &b"{\"kind\":\"ptp\",\"password\":\"hunter2\"}"[..],
            ),
            (Encoding::Binary, b"\xff\x00hunter2"),
        ] {
            assert!(masked(encoding, plain.clone(), head).head.is_empty());
        }
    }

    #[test]
    fn keys_over_several_lines_are_one_secret() {
        let lines = [
            "-----BEGIN PRIVATE KEY-----",
            "hunter2",
            "-----END PRIVATE KEY-----",
            "x",
        ];
        let rows = lines.map(|line| Row {
            depth: 0,
            part: Part::Root,
            shape: Shape::Text,
            value: line.into(),
        });
        let content = masked(Encoding::Text, rows.into(), b"-----BEGIN");
        let told: Vec<&str> = content.rows.iter().map(|r| &*r.value).collect();
        assert_eq!(told, ["[redacted private key]", "x"]);
    }

    #[test]
    fn headers_are_masked_too() {
        let message = Message {
            serial: 1,
            at: Default::default(),
            subject: "a.b".into(),
            bytes: 0,
            sequence: None,
            reply: Default::default(),
            headers: vec![
                ("X-Api-Key".into(), "hunter2".into()),
                ("via".into(), "Bearer hunter2hunter2".into()),
                ("id".into(), "m1".into()),
            ],
            content: Content::default(),
        };
        let told = format!("{:?}", message.masked().headers);
        assert!(!told.contains("hunter2") && told.contains("m1"), "{told}");
    }
}
