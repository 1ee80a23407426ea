//! The keys that are told at the foot of the screen.

use super::{Logs, Mode, pod};

/// Keys worth telling, best first.
pub fn of(view: &Logs) -> &'static [(&'static str, &'static str)] {
    if view.editing.is_open() {
        return crate::ui::view::editing::HINTS;
    }
    if view.form.is_some() {
        return &[
            ("Enter", "run"),
            ("Tab", "complete, next"),
            ("Ctrl-n", "values"),
            ("Esc", "leave"),
        ];
    }
    if view.counted.is_some() {
        return &[
            ("o", "LogQL"),
            ("r", "again"),
            ("J K", "legend"),
            ("Esc", "lines"),
        ];
    }
    if view.fields_shown() {
        return &[
            ("J K", "field"),
            ("$", "only this"),
            ("#", "without"),
            (";", "column"),
            ("C", "around"),
            ("Esc", "close"),
        ];
    }
    if view.asked.as_ref().is_some_and(|a| a.pod.is_some()) && view.shows_lines() {
        return pod::HINTS;
    }
    let counted: &[(&str, &str)] = match view.mode {
        Mode::Lines => &[],
        Mode::Patterns(_) => &[
            ("Enter", "its lines"),
            ("m", "volume"),
            ("^", "compare"),
            ("/", "filter"),
            ("!", "warnings"),
            ("o", "LogQL"),
        ],
        Mode::Compare(_) => &[
            ("Enter", "its lines"),
            ("^", "another range"),
            ("/", "filter"),
            ("!", "warnings"),
            ("Esc", "lines"),
        ],
        Mode::Volume(_) => &[
            ("Enter", "its lines"),
            ("m", "lines"),
            ("/", "filter"),
            ("!", "warnings"),
            ("t", "time"),
        ],
    };
    match (view.shows_lines(), view.find.is_empty(), &view.cursor) {
        (false, ..) => counted,
        (true, false, _) => &[
            ("n/N", "next, previous"),
            ("G", "follow"),
            ("d", "detail"),
            ("Esc", "stop finding"),
            ("&", "filter"),
        ],
        (true, true, Some(_)) => &[
            ("G", "follow"),
            ("d", "fields"),
            ("z", "unfold"),
            ("C", "around"),
            ("e", "next error"),
            ("b", "mark"),
            ("/", "find"),
        ],
        (true, true, None) => &[
            ("p", "pause"),
            ("/", "find"),
            ("m", "patterns"),
            ("^", "compare"),
            ("&", "filter"),
            ("d", "fields"),
            ("o", "LogQL"),
            ("Q", "form"),
        ],
    }
}
