//! What an event adds to the parts of an answer.

use crate::model::chat::ChatEvent;
use crate::model::talk::{Part, ToolDone, ToolPart};

/// Longest answer, bytes.
const ANSWER: usize = 512 * 1024;

/// `folded`: how a call is shown at first.
pub(super) fn take(parts: &mut Vec<Part>, event: ChatEvent, folded: bool) {
    match event {
        ChatEvent::Text { text, .. } => match parts.last_mut() {
            Some(Part::Text(last)) if last.len() < ANSWER => last.push_str(&text),
            Some(Part::Text(_)) => {}
            _ => parts.push(Part::Text(text)),
        },
        ChatEvent::Reasoning { text, .. } => match parts.last_mut() {
            Some(Part::Reasoning { text: last, .. }) if last.len() < ANSWER => last.push_str(&text),
            Some(Part::Reasoning { .. }) => {}
            _ => parts.push(Part::Reasoning { text, folded: true }),
        },
        ChatEvent::ToolStarted {
            call,
            tool,
            arguments,
            number,
            ..
        } => parts.push(Part::Tool(ToolPart {
            call,
            number,
            tool,
            arguments,
            done: None,
            folded,
        })),
        ChatEvent::ToolEnded {
            call,
            result,
            rows,
            ok,
            duration_ms,
            ..
        } => {
            let open = parts.iter_mut().rev().find_map(|part| match part {
                Part::Tool(tool) if tool.call == call => Some(tool),
                _ => None,
            });
            if let Some(tool) = open {
                tool.done = Some(ToolDone {
                    result,
                    rows,
                    ok,
                    duration_ms,
                });
            }
        }
        ChatEvent::Approval {
            tool, arguments, ..
        } => parts.push(Part::Note(format!(
            "{tool} {arguments} is a tool of another program. /allow lets it be called, now and with \
             arguments of this kind until farwatch ends; /deny does not."
        ))),
        ChatEvent::Formed { text, .. } => form(parts, text),
        ChatEvent::Note { text, .. } => parts.push(Part::Note(text)),
        ChatEvent::Model(_)
        | ChatEvent::Spent { .. }
        | ChatEvent::Started { .. }
        | ChatEvent::Ended { .. }
        | ChatEvent::Opened { .. } => {}
    }
}

/// What the model said in its own way stays, folded.
fn form(parts: &mut Vec<Part>, text: String) {
    let last_call = parts.iter().rposition(|part| part.tool().is_some());
    let after = parts.iter_mut().skip(last_call.map_or(0, |at| at + 1));
    for part in after {
        if let Part::Text(said) = part {
            *part = Part::Reasoning {
                text: std::mem::take(said),
                folded: true,
            };
        }
    }
    parts.push(Part::Text(text));
}
