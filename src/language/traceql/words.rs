//! The words of TraceQL with what they do.

use crate::language::Word;

const fn word(text: &'static str, kind: &'static str, help: &'static str) -> Word {
    Word { text, kind, help }
}

/// A function of the language.
pub fn is_function(word: &str) -> bool {
    let lists = [&STAGES[..], &AGGREGATES, &METRICS, &SECOND];
    lists.iter().any(|list| list.iter().any(|w| w.text == word))
}

/// Scopes of intrinsics: `span:duration`.
pub fn is_colon_scope(word: &str) -> bool {
    ["trace", "span", "event", "link", "instrumentation"].contains(&word)
}

/// Without a scope as older servers have it, or of use to hardly anybody.
pub fn is_old_intrinsic(word: &str) -> bool {
    let old = [
        "childCount",
        "parent",
        "nestedSetLeft",
        "nestedSetRight",
        "nestedSetParent",
    ];
    old.contains(&word)
}

#[rustfmt::skip]
pub static SCOPES: [Word; 6] = [
    word("resource.", "scope", "what sent the span: service, pod, node"),
    word("span.", "scope", "attributes of the span itself"),
    word("event.", "scope", "attributes of what happened within the span"),
    word("link.", "scope", "attributes of links to other spans"),
    word("instrumentation.", "scope", "attributes of the library that wrote the span"),
    word("parent.", "scope", "attributes of the span above"),
];

#[rustfmt::skip]
pub static INTRINSICS: [Word; 23] = [
    word("duration", "intrinsic", "how long the span took"),
    word("name", "intrinsic", "name of the span: its operation"),
    word("status", "intrinsic", "ok, error or unset"),
    word("statusMessage", "intrinsic", "what the program said of the status"),
    word("kind", "intrinsic", "server, client, producer, consumer or internal"),
    word("rootName", "intrinsic", "name of the root span of the trace"),
    word("rootServiceName", "intrinsic", "service of the root span of the trace"),
    word("traceDuration", "intrinsic", "from the first begin to the last end of the trace"),
    word("trace:duration", "intrinsic", "from the first begin to the last end of the trace"),
    word("trace:rootName", "intrinsic", "name of the root span of the trace"),
    word("trace:rootService", "intrinsic", "service of the root span of the trace"),
    word("trace:id", "intrinsic", "id of the trace, hex"),
    word("span:duration", "intrinsic", "how long the span took"),
    word("span:name", "intrinsic", "name of the span: its operation"),
    word("span:status", "intrinsic", "ok, error or unset"),
    word("span:statusMessage", "intrinsic", "what the program said of the status"),
    word("span:kind", "intrinsic", "server, client, producer, consumer or internal"),
    word("span:id", "intrinsic", "id of the span, hex"),
    word("event:name", "intrinsic", "what happened within a span: exception"),
    word("event:timeSinceStart", "intrinsic", "how long after the begin of its span"),
    word("link:traceID", "intrinsic", "trace that a span is linked to"),
    word("instrumentation:name", "intrinsic", "library that wrote the span"),
    word("instrumentation:version", "intrinsic", "its version"),
];

/// Those with a scope that are offered to nobody, but are right.
pub fn is_rare_intrinsic(word: &str) -> bool {
    ["span:parentID", "span:childCount", "link:spanID"].contains(&word)
}

#[rustfmt::skip]
pub static STATUSES: [Word; 3] = [
    word("error", "status", "the span failed"),
    word("ok", "status", "the program says it went well"),
    word("unset", "status", "the program did not say"),
];

#[rustfmt::skip]
pub static KINDS: [Word; 6] = [
    word("server", "kind", "answered a request"),
    word("client", "kind", "sent a request"),
    word("producer", "kind", "put a message on a queue"),
    word("consumer", "kind", "took a message from a queue"),
    word("internal", "kind", "worked within its service"),
    word("unspecified", "kind", "the program did not say"),
];

#[rustfmt::skip]
pub static VALUES: [Word; 3] = [
    word("true", "value", ""),
    word("false", "value", ""),
    word("nil", "value", "not there: span.http.route != nil"),
];

#[rustfmt::skip]
pub static STAGES: [Word; 3] = [
    word("by", "stage", "groups the spans found: by(resource.service.name)"),
    word("coalesce", "stage", "undoes the grouping"),
    word("select", "stage", "brings these attributes along: select(span.http.route)"),
];

#[rustfmt::skip]
pub static AGGREGATES: [Word; 5] = [
    word("count", "aggregate", "spans found in a trace: count() > 3"),
    word("avg", "aggregate", "mean over the spans found: avg(duration) > 1s"),
    word("max", "aggregate", "greatest of the spans found: max(duration) > 1s"),
    word("min", "aggregate", "least of the spans found: min(duration) > 10ms"),
    word("sum", "aggregate", "sum over the spans found: sum(span.bytes) > 1000"),
];

#[rustfmt::skip]
pub static METRICS: [Word; 9] = [
    word("rate", "metric", "spans a second: rate() by (resource.service.name)"),
    word("count_over_time", "metric", "spans in each step"),
    word("min_over_time", "metric", "least in each step: min_over_time(duration)"),
    word("max_over_time", "metric", "greatest in each step: max_over_time(duration)"),
    word("avg_over_time", "metric", "mean in each step: avg_over_time(duration)"),
    word("sum_over_time", "metric", "sum in each step: sum_over_time(span.bytes)"),
    word("quantile_over_time", "metric", "quantiles in each step: quantile_over_time(duration, .5, .99)"),
    word("histogram_over_time", "metric", "spread in each step: histogram_over_time(duration)"),
    word("compare", "metric", "how these spans differ from the others: compare({status = error})"),
];

#[rustfmt::skip]
pub static SECOND: [Word; 2] = [
    word("topk", "metric", "the k greatest series: topk(10)"),
    word("bottomk", "metric", "the k least series: bottomk(10)"),
];

#[rustfmt::skip]
pub static HINTS: [Word; 6] = [
    word("most_recent", "hint", "the newest traces, not the first found: most_recent=true"),
    word("sample", "hint", "a share of the data only: sample=0.1 or sample=true"),
    word("span_sample", "hint", "a share of the spans only"),
    word("trace_sample", "hint", "a share of the traces only"),
    word("exemplars", "hint", "traces beside the numbers: exemplars=true"),
    word("extrapolate", "hint", "counts scaled by the share that was sampled"),
];

#[rustfmt::skip]
pub static BETWEEN_FIELDS: [Word; 2] = [
    word("&&", "operator", "both hold for one span"),
    word("||", "operator", "one of them holds for a span"),
];

#[rustfmt::skip]
pub static BETWEEN_SPANS: [Word; 17] = [
    word("|", "pipe", "to the next stage"),
    word("&&", "operator", "traces that have both"),
    word("||", "operator", "traces that have one of them"),
    word(">>", "operator", "spans right that are anywhere below spans left"),
    word(">", "operator", "spans right whose parent is left"),
    word("<<", "operator", "spans right that are anywhere above spans left"),
    word("<", "operator", "spans right that are parent of spans left"),
    word("~", "operator", "spans right that have the same parent as spans left"),
    word("!>>", "operator", "spans right that are below none of those left"),
    word("!>", "operator", "spans right whose parent is none of those left"),
    word("!<<", "operator", "spans right that are above none of those left"),
    word("!<", "operator", "spans right that are parent of none of those left"),
    word("!~", "operator", "spans right that are beside none of those left"),
    word("&>>", "operator", "both of them, one below the other"),
    word("&>", "operator", "both of them, child and parent"),
    word("&<<", "operator", "both of them, one above the other"),
    word("&~", "operator", "both of them, beside each other"),
];

#[rustfmt::skip]
pub static COMPARISONS: [Word; 8] = [
    word("=", "operator", "is"),
    word("!=", "operator", "is not"),
    word("=~", "operator", "matches the whole regex"),
    word("!~", "operator", "does not match the regex"),
    word(">", "operator", "more than"),
    word(">=", "operator", "at least"),
    word("<", "operator", "less than"),
    word("<=", "operator", "at most"),
];

#[rustfmt::skip]
pub static DURATIONS: [Word; 6] = [
    word("10ms", "duration", ""),
    word("100ms", "duration", ""),
    word("500ms", "duration", ""),
    word("1s", "duration", ""),
    word("5s", "duration", ""),
    word("1m", "duration", ""),
];

#[rustfmt::skip]
pub static STARTS: [Word; 6] = [
    word("{ status = error }", "query", "traces with a span that failed"),
    word("{ duration > 1s }", "query", "traces with a span that took longer"),
    word("{ trace:duration > 1s }", "query", "traces that took longer"),
    word("{ kind = server && status = error }", "query", "requests that failed"),
    word("{ } >> { status = error }", "query", "spans that failed below others"),
    word("{ } | count() > 100", "query", "traces of many spans"),
];

#[rustfmt::skip]
pub static WITH: [Word; 1] = [
    word("with", "keyword", "how to search: with (most_recent=true)"),
];

#[rustfmt::skip]
pub static BY: [Word; 1] = [
    word("by", "keyword", "a series for each value: rate() by (resource.service.name)"),
];

#[rustfmt::skip]
pub static SHORT: [Word; 10] = [
    word("error", "word", "a span failed"),
    word(">500ms", "word", "a span took longer"),
    word("<2s", "word", "a span took less"),
    word("service=", "word", "of this service; * stands for anything"),
    word("name=", "word", "of this operation: name=\"POST /pay\""),
    word("kind=", "word", "server, client, producer, consumer or internal"),
    word("status=", "word", "error, ok or unset"),
    word("pod=", "word", "of this pod"),
    word("namespace=", "word", "of this namespace"),
    word("node=", "word", "of this node"),
];
