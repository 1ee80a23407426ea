//! A server that speaks Loki's protocol for the lab: `query_range`, labels and the live tail.
//! Of LogQL it knows selectors, line filters and `| label="value"`; parsers are accepted.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use farwatch::clock;
use futures::{SinkExt, StreamExt};
use regex::Regex;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::common::Site;
use super::logs::{self, Line};
use super::story::Story;
use super::wire::{self, Request};

/// All lines so far; grows with the clock.
#[derive(Debug)]
pub struct Book {
    site: Site,
    story: Story,
    state: Mutex<(i64, Vec<Line>)>,
}

impl Book {
    pub fn new(site: Site, story: Story) -> Arc<Self> {
        let first = story.start as i64;
        Arc::new(Self {
            site,
            story,
            state: Mutex::new((first, Vec::new())),
        })
    }

    /// Lines from `from_ns` on that the query takes, oldest first.
    fn read(&self, query: &Query, from_ns: i64, to_ns: i64) -> Vec<Line> {
        let now = clock::now().0 / 1000;
        let mut state = self.state.lock().unwrap();
        let (next, lines) = &mut *state;
        while *next < now {
            lines.extend(logs::second(self.site, &self.story, *next));
            *next += 1;
        }
        lines
            .iter()
            .filter(|l| l.at_ns >= from_ns && l.at_ns < to_ns && query.takes(l))
            .cloned()
            .collect()
    }
}

#[derive(Debug)]
struct Query {
    labels: Vec<Test>,
    lines: Vec<Test>,
}

#[derive(Debug)]
struct Test {
    name: String,
    not: bool,
    pattern: Regex,
}

impl Test {
    fn new(name: &str, operator: &str, value: &str) -> Option<Self> {
        let pattern = match operator {
            "=~" | "!~" => format!("^(?:{value})$"),
            "|~" => value.to_owned(),
            "|=" => regex::escape(value),
            _ => format!("^{}$", regex::escape(value)),
        };
        let pattern = Regex::new(&pattern).ok()?;
        Some(Self {
            name: name.to_owned(),
            not: operator.starts_with('!'),
            pattern,
        })
    }

    fn holds(&self, text: &str) -> bool {
        self.pattern.is_match(text) != self.not
    }
}

impl Query {
    fn parse(text: &str) -> Option<Self> {
        let (head, rest) = text.trim().strip_prefix('{')?.split_once('}')?;
        let matcher =
            Regex::new(r#"(\w+)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`)"#).ok()?;
        let filter = Regex::new(r#"(\|=|\|~|!=|!~)\s*(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`)"#).ok()?;
        let value = |c: &regex::Captures, i: usize| {
            let found = c.get(i).or(c.get(i + 1)).map_or("", |m| m.as_str());
            found.replace("\\\"", "\"").replace("\\\\", "\\")
        };
        let mut labels = Vec::new();
        for c in matcher.captures_iter(head) {
            labels.push(Test::new(&c[1], &c[2], &value(&c, 3))?);
        }
        if labels.is_empty() {
            return None;
        }
        let mut lines = Vec::new();
        // Label filters stand behind a bar: cut them out before the line filters are read.
        let stage =
            Regex::new(r#"\|\s*(\w+)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`)"#).ok()?;
        for c in stage.captures_iter(rest) {
            labels.push(Test::new(&c[1], &c[2], &value(&c, 3))?);
        }
        for c in filter.captures_iter(&stage.replace_all(rest, "")) {
            let operator = &c[1];
            let value = value(&c, 2);
            let mut test = Test::new(
                "",
                if operator.ends_with('~') { "|~" } else { "|=" },
                &value,
            )?;
            test.not = operator.starts_with('!');
            lines.push(test);
        }
        Some(Self { labels, lines })
    }

    fn takes(&self, line: &Line) -> bool {
        let label = |name: &str| match name {
            "detected_level" | "level" => line.level,
            _ => line
                .labels
                .iter()
                .find(|(n, _)| *n == name)
                .map_or("", |(_, v)| v),
        };
        self.labels.iter().all(|t| t.holds(label(&t.name)))
            && self.lines.iter().all(|t| t.holds(&line.text))
    }
}

type Pairs = Vec<(&'static str, String)>;

fn streams(lines: &[Line]) -> Vec<Value> {
    let mut out: Vec<(&Pairs, Vec<Value>)> = Vec::new();
    for line in lines {
        let entry = json!([line.at_ns.to_string(), line.text, {"structuredMetadata": {"detected_level": line.level}}]);
        match out.iter_mut().find(|(labels, _)| **labels == line.labels) {
            Some((_, values)) => values.push(entry),
            None => out.push((&line.labels, vec![entry])),
        }
    }
    out.into_iter()
        .map(|(labels, values)| {
            let stream: serde_json::Map<String, Value> = labels
                .iter()
                .map(|(n, v)| ((*n).to_owned(), Value::from(v.as_str())))
                .collect();
            json!({"stream": stream, "values": values})
        })
        .collect()
}

const JSON: &str = "application/json; charset=UTF-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// Answers under `/loki/api/v1`.
pub async fn answer(book: Arc<Book>, request: Request, stream: &mut TcpStream) -> io::Result<bool> {
    let path = request
        .path
        .strip_prefix("/loki/api/v1")
        .unwrap_or(&request.path)
        .to_owned();
    if path == "/status/buildinfo" {
        return wire::reply(
            stream,
            200,
            JSON,
            &[],
            br#"{"version":"3.5.5","revision":"lab","branch":"HEAD"}"#,
        )
        .await;
    }
    if let Some(rest) = path.strip_prefix("/label") {
        let name = rest
            .trim_start_matches('/')
            .split('/')
            .next()
            .unwrap_or_default();
        return labels(&book, name, stream).await;
    }
    let Some(query) = request.param("query").and_then(Query::parse) else {
        return wire::reply(
            stream,
            400,
            TEXT,
            &[],
            b"parse error : syntax error: unexpected $end",
        )
        .await;
    };
    let number = |name: &str| request.param(name).and_then(|v| v.parse::<i64>().ok());
    let now_ns = clock::now().0 * 1_000_000;
    match path.as_str() {
        "/query_range" => {
            let start = number("start").unwrap_or(now_ns - 3_600_000_000_000);
            let end = number("end").unwrap_or(now_ns);
            let limit = usize::try_from(number("limit").unwrap_or(100)).unwrap_or(100);
            let mut lines = book.read(&query, start, end);
            if request.param("direction") != Some("forward") {
                lines.reverse();
            }
            lines.truncate(limit);
            let body = json!({"status": "success", "data": {"resultType": "streams", "encodingFlags": ["categorize-labels"], "result": streams(&lines), "stats": {}}});
            wire::reply(stream, 200, JSON, &[], body.to_string().as_bytes()).await
        }
        "/tail" => {
            tail(
                &book,
                &query,
                &request,
                stream,
                number("start").unwrap_or(now_ns),
            )
            .await
        }
        _ => wire::reply(stream, 404, TEXT, &[], b"404 page not found\n").await,
    }
}

async fn labels(book: &Book, name: &str, stream: &mut TcpStream) -> io::Result<bool> {
    let all = Query {
        labels: Vec::new(),
        lines: Vec::new(),
    };
    let mut values: Vec<String> = book
        .read(&all, 0, i64::MAX)
        .into_iter()
        .flat_map(|l| l.labels)
        .filter_map(|(n, v)| match name {
            "" | "s" => Some(n.to_owned()),
            _ => (n == name).then_some(v),
        })
        .collect();
    values.sort();
    values.dedup();
    let body = json!({"status": "success", "data": values});
    wire::reply(stream, 200, JSON, &[], body.to_string().as_bytes()).await
}

async fn tail(
    book: &Book,
    query: &Query,
    request: &Request,
    stream: &mut TcpStream,
    start_ns: i64,
) -> io::Result<bool> {
    let Some(key) = request.header("sec-websocket-key") else {
        return wire::reply(stream, 400, TEXT, &[], b"Bad Request").await;
    };
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
        derive_accept_key(key.as_bytes())
    );
    stream.write_all(head.as_bytes()).await?;
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    let mut from_ns = start_ns;
    loop {
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(false),
                Some(Ok(_)) => {}
            },
            _ = tick.tick() => {
                let lines = book.read(query, from_ns, i64::MAX);
                let Some(last) = lines.last() else { continue };
                from_ns = last.at_ns + 1;
                let frame = json!({"streams": streams(&lines), "dropped_entries": null});
                if socket.send(Message::text(frame.to_string())).await.is_err() {
                    return Ok(false);
                }
            }
        }
    }
}
