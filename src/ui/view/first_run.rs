//! What to do when nothing is configured yet.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::common;
use crate::ui::Ctx;
use crate::ui::layout::middle;

const LINES: [(&str, bool); 18] = [
    (
        "farwatch has no cluster to look at: there is no kubeconfig",
        false,
    ),
    (
        "(KUBECONFIG, ~/.kube/config) and no configuration file.",
        false,
    ),
    ("", false),
    (
        "To look around first, with a recording that ships with it:",
        false,
    ),
    ("    farwatch demo", true),
    ("", false),
    (
        "With a kubeconfig each context in it is a cluster. Sign in:",
        false,
    ),
    ("    oc login https://api.example.org:6443", true),
    ("or write a file like this one:", false),
    ("    [[clusters]]", true),
    ("    name = \"edge-1\"", true),
    ("    prometheus.url = \"http://127.0.0.1:9090\"", true),
    ("and start farwatch with it:", false),
    ("    farwatch --config my.toml", true),
    ("", false),
    (
        "    farwatch check      tries every endpoint, says what to mend",
        true,
    ),
    ("", false),
    ("? help   q quit", false),
];

pub fn draw(ctx: &Ctx, area: Rect, buf: &mut Buffer) {
    let area = middle(area, 68, LINES.len() as u16 + 2);
    let inner = common::pane(ctx, area, buf, "Welcome", "", true);
    for (y, (text, code)) in (inner.y..inner.bottom()).zip(LINES) {
        let style = if code {
            ctx.theme.accent
        } else {
            ctx.theme.base
        };
        let x = inner.x.saturating_add(1);
        ctx.put(buf, (x, y), inner.width.saturating_sub(1), text, style);
    }
}
