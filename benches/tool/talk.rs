//! A conversation of two hundred messages, as an archive gives it back.

use farwatch::model::chat::RunOutcome;
use farwatch::model::talk::{
    Author, Message, Part, Session, SessionHead, SessionId, ToolDone, ToolPart,
};
use farwatch::model::time::Timestamp;

pub const MESSAGES: usize = 200;
/// Tool calls of an answer.
const CALLS: u32 = 6;

pub fn session(now: Timestamp) -> Session {
    let begun = now.plus_ms(-(MESSAGES as i64) * 60_000);
    let message = |index: usize| {
        let at = begun.plus_ms(index as i64 * 60_000);
        match index % 2 {
            0 => said(
                Author::Operator,
                at,
                vec![Part::Text(format!("and what of node {index}?"))],
            ),
            _ => said(Author::Agent, at, answer(index)),
        }
    };
    Session {
        head: SessionHead {
            id: SessionId(begun.0),
            title: "and what of node 0?".into(),
            persona: "sre".into(),
            incident: None,
            used: now,
            questions: (MESSAGES / 2) as u32,
        },
        messages: (0..MESSAGES).map(message).collect(),
    }
}

fn said(author: Author, at: Timestamp, parts: Vec<Part>) -> Message {
    let outcome = (author == Author::Agent).then_some(RunOutcome::Cancelled);
    Message {
        author,
        at,
        run: None,
        parts,
        outcome,
        version: 1,
    }
}

fn answer(index: usize) -> Vec<Part> {
    let tools = (1..=CALLS).map(|number| {
        let rows = (0..60).map(|row| format!("node-{index} cpu{row} {:.2}\n", row as f64 / 7.0));
        Part::Tool(ToolPart {
            call: format!("{index}-{number}"),
            number,
            tool: "query_metrics".into(),
            arguments: "{\"query\":\"rate(node_cpu_seconds_total[5m])\"}".into(),
            done: Some(ToolDone {
                result: rows.collect(),
                rows: 60,
                ok: true,
                duration_ms: 31,
            }),
            folded: true,
        })
    });
    let lines = (1..=CALLS).map(|n| {
        format!("- **node-{index}** waited for its disk, `iowait` 43 % where 2 % is usual [{n}]\n")
    });
    let text = format!(
        "## Conclusion\nThe disk of node-{index} is full of logs of `team-a/api` [1].\n\n## Evidence\n{}\n\
         ## Next steps\n1. look at `df` there\n2. rotate the logs\n\n| pod | bytes |\n| --- | --- |\n\
         | api-1 | 40 GB |\n| api-2 | 31 GB |\n",
        lines.collect::<String>()
    );
    tools.chain([Part::Text(text)]).collect()
}
