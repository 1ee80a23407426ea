//! The table itself. No key may mean two things in one context; a test holds that.

use super::{Action, Command, Jump, ScreenId, TimeMove, Typed};
use crate::model::export::Format;
use crate::model::incident::Opinion;

/// Where an entry can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    Always,
    /// While a recording is played.
    Replay,
}

/// One line of the table.
#[derive(Debug)]
pub struct Entry {
    /// As typed after `:`; words of one name are joined by `-`.
    pub name: &'static str,
    /// In the notation of [`super::parse_keys`]; the first is the one shown.
    pub keys: &'static [&'static str],
    pub help: &'static str,
    /// Heading in the help.
    pub group: &'static str,
    pub context: Context,
    pub action: Action,
}

/// The entry of this name, or the only one that begins so.
pub fn by_name(name: &str) -> Option<&'static Entry> {
    let mut begin = ENTRIES.iter().filter(|entry| entry.name.starts_with(name));
    let first = begin.next();
    let only = begin.next().is_none();
    ENTRIES
        .iter()
        .find(|entry| entry.name == name)
        .or(first.filter(|_| only && !name.is_empty()))
}

const fn entry(
    group: &'static str,
    name: &'static str,
    keys: &'static [&'static str],
    help: &'static str,
    action: Action,
) -> Entry {
    Entry {
        name,
        keys,
        help,
        group,
        context: Context::Always,
        action,
    }
}

const fn replay(
    name: &'static str,
    keys: &'static [&'static str],
    help: &'static str,
    action: Action,
) -> Entry {
    Entry {
        name,
        keys,
        help,
        group: "Replay",
        context: Context::Replay,
        action,
    }
}

use Action::{Screen, Typed as Words, View};

#[rustfmt::skip]
pub static ENTRIES: &[Entry] = &[
    entry("Screens", "fleet", &["1", "gf"], "every cluster, worst first", Screen(ScreenId::Fleet)),
    entry("Screens", "cluster", &["2", "gc"], "one cluster: problems, nodes, workloads, events, capacity", Screen(ScreenId::Cluster)),
    entry("Screens", "metrics", &["3", "gm"], "PromQL and charts", Screen(ScreenId::Metrics)),
    entry("Screens", "logs", &["4", "gl"], "log lines, patterns and volume", Screen(ScreenId::Logs)),
    entry("Screens", "gpu", &["5", "gu"], "GPUs and model servers", Screen(ScreenId::Gpu)),
    entry("Screens", "cnf", &["6", "gn"], "PTP clocks and SR-IOV", Screen(ScreenId::Cnf)),
    entry("Screens", "alerts", &["7", "ga"], "alerts of all clusters", Screen(ScreenId::Alerts)),
    entry("Screens", "incidents", &["8", "gi"], "incidents and what they are made of", Screen(ScreenId::Incidents)),
    entry("Screens", "traces", &["9"], "traces: search, waterfall, critical path", Screen(ScreenId::Traces)),
    entry("Screens", "dashboards", &["gd"], "panels of queries: ready ones and your own", Screen(ScreenId::Dashboards)),
    entry("Screens", "bus", &["ge"], "message bus: streams, consumers, live messages", Screen(ScreenId::Bus)),
    entry("Screens", "gitops", &["0", "go"], "Argo CD, Flux, and what was changed where", Screen(ScreenId::GitOps)),
    entry("Screens", "diagnostics", &["gs"], "sources, queues, memory of farwatch itself", Screen(ScreenId::Diagnostics)),
    entry("Screens", "last-screen", &["`"], "the screen before this one", Action::LastScreen),
    entry("Move", "down", &["j", "<down>"], "next row", View(Command::Down)),
    entry("Move", "up", &["k", "<up>"], "row before", View(Command::Up)),
    entry("Move", "left", &["h", "<left>"], "left, or cursor back in time", View(Command::Left)),
    entry("Move", "right", &["l", "<right>"], "right, or cursor on in time", View(Command::Right)),
    entry("Move", "page-down", &["<pgdn>", "<c-d>", "<c-f>"], "page down", View(Command::PageDown)),
    entry("Move", "page-up", &["<pgup>", "<c-u>", "<c-b>"], "page up", View(Command::PageUp)),
    entry("Move", "top", &["gg", "<home>"], "first row", View(Command::Top)),
    entry("Move", "bottom", &["G", "<end>"], "last row; logs: follow", View(Command::Bottom)),
    entry("Move", "next-pane", &["<tab>"], "next pane", View(Command::NextPane)),
    entry("Move", "previous-pane", &["<s-tab>"], "pane before", View(Command::PreviousPane)),
    entry("Move", "open", &["<enter>"], "go deeper", Action::Open),
    entry("Move", "back", &["<esc>"], "undo one step: menu, prompt, filter, screen", Action::Back),
    entry("Move", "close", &["q"], "close; at the top: quit", Action::Close),
    entry("Find", "find", &["/"], "narrow a list, find in log lines: word !not /re/ key=value @cluster", Action::FindPrompt),
    entry("Find", "filter", &["&"], "narrow log lines, or a list", Action::FilterPrompt),
    entry("Find", "next-match", &["n"], "next line found", View(Command::NextMatch)),
    entry("Find", "previous-match", &["N"], "line found before", View(Command::PreviousMatch)),
    entry("Find", "palette", &["<c-p>"], "find screens, clusters, nodes, pods, incidents, commands", Action::Palette),
    entry("Find", "command", &[":"], "type a command", Action::CommandPrompt),
    entry("Find", "problems", &["!"], "only problems", View(Command::Problems)),
    entry("Find", "next-problem", &["e"], "next problem", View(Command::NextProblem)),
    entry("Find", "previous-problem", &["E"], "problem before", View(Command::PreviousProblem)),
    entry("Rows", "sort", &["s"], "sort by the next column", View(Command::Sort)),
    entry("Rows", "reverse", &["S"], "turn the order round", View(Command::ReverseSort)),
    entry("Rows", "mode", &["m"], "next way of showing this", View(Command::Mode)),
    entry("Rows", "detail", &["d"], "detail of the row", View(Command::Detail)),
    entry("Rows", "wrap", &["w"], "wrap long lines", View(Command::Wrap)),
    entry("Rows", "fold", &["z"], "fold or unfold", View(Command::Fold)),
    entry("Rows", "fold-all", &["Z"], "fold or unfold all groups", View(Command::FoldAll)),
    entry("Rows", "run-before", &["P"], "log of a pod: the run before this one", View(Command::PreviousRun)),
    entry("Rows", "bookmark", &["b"], "logs: mark the line, or no longer", View(Command::Bookmark)),
    entry("Rows", "next-bookmark", &["B"], "logs: next marked line", View(Command::NextBookmark)),
    entry("Rows", "around", &["C"], "logs: lines before and after this one in its stream", View(Command::Around)),
    entry("Rows", "only", &["$"], "logs: only lines with the value under the cursor of d", View(Command::Only)),
    entry("Rows", "without", &["#"], "logs: only lines without that value", View(Command::Without)),
    entry("Rows", "column", &[";"], "logs: that field as a column, or no longer", View(Command::Column)),
    entry("Rows", "stamps", &["T"], "logs: times local, UTC, before now", View(Command::Stamps)),
    entry("Rows", "delta", &["D"], "logs: time since the line before", View(Command::Delta)),
    entry("Rows", "compare-before", &["^"], "logs: patterns beside those just before; again: a day before", View(Command::Compare(None))),
    entry("Rows", "scroll-down", &["J"], "scroll the text down, the cursor stays", View(Command::ScrollDown)),
    entry("Rows", "scroll-up", &["K"], "scroll the text up", View(Command::ScrollUp)),
    entry("Rows", "copy-row", &["yy"], "copy the row", View(Command::CopyRow)),
    entry("Rows", "copy-query", &["yq"], "copy the query", View(Command::CopyQuery)),
    entry("Rows", "copy-curl", &["yu"], "copy the query as curl, without secrets", View(Command::CopyCurl)),
    entry("Rows", "export-csv", &["<c-s>c"], "write series, traces or log lines to a CSV file", View(Command::Export(Format::Csv))),
    entry("Rows", "export-json", &["<c-s>j"], "write series, traces or log lines to a JSON file", View(Command::Export(Format::Json))),
    entry("Rows", "export-png", &["<c-s>p"], "write the chart to a PNG file", View(Command::Export(Format::Png))),
    entry("Rows", "export-svg", &["<c-s>s"], "write the chart to an SVG file", View(Command::Export(Format::Svg))),
    entry("Rows", "export-text", &["<c-s>t"], "write the log lines to a file, as they were written", View(Command::Export(Format::Text))),
    entry("Rows", "copy-name", &["yn"], "copy the name under the cursor", Action::CopyName),
    entry("Jump from a row", "to-logs", &["xl"], "its log lines", Action::Jump(Jump::Logs)),
    entry("Jump from a row", "to-metrics", &["xm"], "its metrics; of an alert: its expression", Action::Jump(Jump::Metrics)),
    entry("Jump from a row", "to-trace", &["xt"], "its trace, by the id in it; of a pod or node: its traces", Action::Jump(Jump::Traces)),
    entry("Jump from a row", "to-alerts", &["xa"], "its alerts", Action::Jump(Jump::Alerts)),
    entry("Jump from a row", "to-incident", &["xi"], "its incident", Action::Jump(Jump::Incidents)),
    entry("Jump from a row", "to-pod", &["xp"], "its pod", Action::Jump(Jump::Pods)),
    entry("Jump from a row", "to-node", &["xn"], "its node", Action::Jump(Jump::Node)),
    entry("Jump from a row", "to-gpu", &["xu"], "its GPUs", Action::Jump(Jump::Gpu)),
    entry("Jump from a row", "to-cnf", &["xc"], "its PTP clocks and SR-IOV", Action::Jump(Jump::Cnf)),
    entry("Jump from a row", "to-gitops", &["xg"], "its application; of a node: what was changed", Action::Jump(Jump::GitOps)),
    entry("Jump from a row", "to-object", &["xd"], "all that is known of it: YAML, events, owners, log", Action::Jump(Jump::Object)),
    entry("Jump from a row", "podlogs", &["xL"], "log of its pod, straight from the API server", Action::Jump(Jump::PodLog)),
    entry("Jump from a row", "to-owner", &["xo"], "the object that owns it", Action::Jump(Jump::Owner)),
    entry("Actions", "actions", &["X"], "what can be done: sync, refresh, reconcile, silence", Action::Actions),
    entry("Actions", "mute", &["M"], "silence the alert under the cursor, mute an incident", Action::Mute),
    entry("Incidents", "acknowledge", &["Ya"], "I look after this incident, or no longer", Action::Acknowledge),
    entry("Incidents", "true-finding", &["Yt"], "this finding was something", Action::Opine(Some(Opinion::True))),
    entry("Incidents", "false-alarm", &["Yf"], "this finding was nothing: do not tell its like again", Action::Opine(Some(Opinion::False))),
    entry("Incidents", "no-verdict", &["Yu"], "take back what I said of this finding", Action::Opine(None)),
    entry("Incidents", "note", &["Yn"], "note TEXT: write it down at this incident", Words(Typed::Note)),
    entry("Incidents", "pin", &["Yp"], "keep this finding or row as evidence at the incident, or no longer", Action::Pin),
    entry("Incidents", "assign", &["Yo"], "assign WHO: who looks after this incident; nobody: no name", Words(Typed::Assign)),
    entry("Incidents", "quiet", &[], "quiet SPAN: mute this incident so long, as `M`; off: no longer", Words(Typed::Quiet)),
    entry("Incidents", "hand-over", &["<c-s>h"], "write this incident with its data to one file, to be replayed", Action::HandOver),
    entry("Incidents", "handover", &[], "handover SPAN: the clusters in scope so long back, as one file", Words(Typed::HandOver)),
    entry("Incidents", "sensitivity", &[], "sensitivity SIGNAL cluster=C LABEL=V LEVEL: how much is told; reset", Words(Typed::Sensitivity)),
    entry("Incidents", "whatif", &[], "whatif SIGNAL LEVEL: flags of the held hours with that sensitivity", Words(Typed::WhatIf)),
    entry("Query", "edit", &["o"], "edit the query", View(Command::Edit)),
    entry("Query", "recall", &["O"], "earlier and saved queries", View(Command::Recall)),
    entry("Query", "form", &["Q"], "logs: a form that writes the LogQL", View(Command::Form)),
    entry("Query", "load-on", &["W"], "logs: load the lines before the oldest", View(Command::LoadOn)),
    entry("Query", "refresh", &["r"], "ask again now", View(Command::Refresh)),
    entry("Query", "query-clusters", &["@"], "metrics: which clusters are asked", View(Command::Clusters)),
    entry("Query", "combine", &["F"], "metrics: clusters apart, or their sum, avg, min, max", View(Command::Combine)),
    entry("Query", "hide", &["_"], "metrics: leave a curve out, or take it in again", View(Command::Hide)),
    entry("Query", "promql", &[], "promql QUERY: chart this on the metrics screen", Words(Typed::Promql)),
    entry("Query", "logql", &[], "logql QUERY: search the logs", Words(Typed::Logql)),
    entry("Query", "traceql", &[], "traceql QUERY: search traces; or the id of a trace", Words(Typed::Traceql)),
    entry("Query", "follow", &["f"], "bus: follow SUBJECT … / WORDS, with * and >; off; default", Words(Typed::Follow)),
    entry("Time", "time", &["t"], "range: 15m, 2h, 14:10-14:30, RFC 3339", Action::TimePrompt),
    entry("Time", "range", &[], "range SPAN: as `t`", Words(Typed::Time)),
    entry("Time", "earlier", &[","], "half a window back", Action::Time(TimeMove::Earlier)),
    entry("Time", "later", &["."], "half a window on, up to now", Action::Time(TimeMove::Later)),
    entry("Time", "closer", &["+"], "half the window, around the cursor", Action::Time(TimeMove::Closer)),
    entry("Time", "wider", &["-"], "twice the window, around the cursor", Action::Time(TimeMove::Wider)),
    entry("Time", "select", &["v"], "select from the cursor on; again: look at what is selected", Action::Time(TimeMove::Select)),
    entry("Time", "step", &[], "step SPAN: distance of a chart's points; auto: as it suits the range", Words(Typed::Step)),
    entry("Time", "every", &[], "every SPAN: ask a chart that follows now so often; off: never", Words(Typed::Every)),
    entry("Time", "compare", &[], "compare RANGE: logs in view beside this range; 1d: so long before", Words(Typed::Compare)),
    entry("Time", "live", &["="], "back to now", Action::Live),
    entry("Time", "pause", &["p"], "hold the time window, or let it go on", Action::Hold),
    entry("Scope", "next-cluster", &["]"], "next cluster becomes the scope", Action::NextCluster),
    entry("Scope", "previous-cluster", &["["], "cluster before becomes the scope", Action::PreviousCluster),
    entry("Scope", "all", &["c"], "all clusters", Action::AllClusters),
    entry("Scope", "scope", &[], "scope NAME: this cluster only", Words(Typed::Cluster)),
    entry("Scope", "incident", &[], "incident NUMBER: open it", Words(Typed::Incident)),
    entry("Scope", "object", &[], "object KIND [NAMESPACE/]NAME: all that is known of it", Words(Typed::Object)),
    entry("Agent", "ask", &["a"], "ask the agent about the thing under the cursor", Action::Ask),
    entry("Agent", "chat", &["A"], "chat pane", Action::ToggleChat),
    entry("Agent", "question", &[], "question TEXT: ask the agent this", Words(Typed::Ask)),
    entry("View", "help", &["?"], "keys and commands", Action::Help),
    entry("View", "notices", &["~"], "what farwatch had to say", Action::Notices),
    entry("View", "theme", &[], "theme NAME: dark, light, high-contrast, sixteen", Words(Typed::Theme)),
    entry("View", "next-theme", &["gt"], "next theme", Action::NextTheme),
    entry("View", "redraw", &["<c-l>"], "draw everything anew", Action::Redraw),
    entry("View", "suspend", &["<c-z>"], "to the shell; `fg` comes back", Action::Suspend),
    entry("View", "interrupt", &["<c-c>"], "cancel what runs; twice: quit", Action::Interrupt),
    entry("View", "quit", &[], "quit", Action::Quit),
    replay("replay-pause", &["<space>"], "pause or go on", Action::ReplayPause),
    replay("replay-slower", &["<"], "half the speed", Action::ReplaySlower),
    replay("replay-faster", &[">"], "twice the speed", Action::ReplayFaster),
    replay("back-minute", &["("], "back 1 minute", Action::ReplaySkip(-60)),
    replay("on-minute", &[")"], "on 1 minute", Action::ReplaySkip(60)),
    replay("back-ten", &["{"], "back 10 minutes", Action::ReplaySkip(-600)),
    replay("on-ten", &["}"], "on 10 minutes", Action::ReplaySkip(600)),
    replay("speed", &[], "speed FACTOR: how fast it runs: 1, 10x", Words(Typed::Speed)),
    replay("seek", &[], "seek TIME: go there: 14:10, 10m from the start, +5m, -5m", Words(Typed::Seek)),
];
