//! The words of LogQL with what they do.

use crate::language::Word;

const fn word(text: &'static str, kind: &'static str, help: &'static str) -> Word {
    Word { text, kind, help }
}

/// Operators of two characters.
pub static TWO: [&str; 10] = ["|=", "|~", "|>", "!=", "!~", "!>", "=~", "==", ">=", "<="];

/// Goes with an aggregation.
pub fn groups(word: &str) -> bool {
    word.eq_ignore_ascii_case("by") || word.eq_ignore_ascii_case("without")
}

fn is_of(list: &[Word], word: &str) -> bool {
    list.iter().any(|w| w.text == word)
}

pub fn is_stage(word: &str) -> bool {
    is_of(&STAGES, word)
}

pub fn is_range(word: &str) -> bool {
    is_of(&RANGES_OF, word)
}

pub fn is_aggregation(word: &str) -> bool {
    is_of(&AGGREGATIONS, word)
}

/// Takes something in parentheses, and is neither of the two before.
pub fn is_call(word: &str) -> bool {
    is_of(&CALLS, word) || is_of(&CONVERSIONS, word) || word == "ip"
}

/// What of the range has to be unwrapped.
pub fn wants_unwrap(word: &str) -> bool {
    matches!(
        word,
        "avg_over_time"
            | "sum_over_time"
            | "min_over_time"
            | "max_over_time"
            | "stddev_over_time"
            | "stdvar_over_time"
            | "quantile_over_time"
            | "first_over_time"
            | "last_over_time"
            | "rate_counter"
    )
}

/// After `|`.
#[rustfmt::skip]
pub static STAGES: [Word; 12] = [
    word("json", "parser", "labels from a JSON line; json a=\"b.c\" takes only these"),
    word("logfmt", "parser", "labels from key=value; --strict stops at what is none"),
    word("pattern", "parser", "labels by a pattern: pattern \"<ip> <_> <status>\""),
    word("regexp", "parser", "labels by named groups: regexp \"(?P<code>\\\\d+)\""),
    word("unpack", "parser", "labels that promtail packed, the line as it was"),
    word("line_format", "stage", "writes the line anew: \"{{.msg}}\""),
    word("label_format", "stage", "renames a label, or makes one: to=from, to=\"{{.a}}\""),
    word("decolorize", "stage", "takes colours off the line"),
    word("drop", "stage", "takes labels away"),
    word("keep", "stage", "keeps only these labels"),
    word("unwrap", "stage", "the number of a label becomes the value: within a range"),
    word("distinct", "stage", "one line for each value of a label"),
];

/// Between a selector and what follows.
#[rustfmt::skip]
pub static FILTERS: [Word; 7] = [
    word("|=", "filter", "the line contains this text"),
    word("!=", "filter", "the line does not contain this text"),
    word("|~", "filter", "the line matches this regex (RE2)"),
    word("!~", "filter", "the line does not match this regex"),
    word("|>", "filter", "the line matches this pattern: \"<_> error <_>\""),
    word("!>", "filter", "the line does not match this pattern"),
    word("|", "stage", "a parser, a filter of labels, a format"),
];

/// Over the lines of a range.
#[rustfmt::skip]
pub static RANGES_OF: [Word; 15] = [
    word("rate", "range", "lines a second: rate({app=\"a\"}[5m]); unwrapped: sum a second"),
    word("count_over_time", "range", "number of lines in the range"),
    word("bytes_rate", "range", "bytes a second"),
    word("bytes_over_time", "range", "bytes in the range"),
    word("absent_over_time", "range", "1 where there was no line in the range"),
    word("sum_over_time", "range", "sum of the unwrapped values"),
    word("avg_over_time", "range", "mean of the unwrapped values"),
    word("min_over_time", "range", "smallest of the unwrapped values"),
    word("max_over_time", "range", "largest of the unwrapped values"),
    word("first_over_time", "range", "first of the unwrapped values"),
    word("last_over_time", "range", "last of the unwrapped values"),
    word("quantile_over_time", "range", "quantile of the unwrapped values: (0.99, …)"),
    word("stddev_over_time", "range", "standard deviation of the unwrapped values"),
    word("stdvar_over_time", "range", "variance of the unwrapped values"),
    word("rate_counter", "range", "rate of an unwrapped counter"),
];

#[rustfmt::skip]
pub static AGGREGATIONS: [Word; 12] = [
    word("sum", "aggregation", "sum over series: sum by (app) (…)"),
    word("avg", "aggregation", "mean over series"),
    word("min", "aggregation", "smallest of the series"),
    word("max", "aggregation", "largest of the series"),
    word("count", "aggregation", "number of series"),
    word("topk", "aggregation", "the largest k: topk(10, …)"),
    word("bottomk", "aggregation", "the smallest k: bottomk(10, …)"),
    word("stddev", "aggregation", "standard deviation over series"),
    word("stdvar", "aggregation", "variance over series"),
    word("sort", "aggregation", "by value, smallest first"),
    word("sort_desc", "aggregation", "by value, largest first"),
    word("approx_topk", "aggregation", "the largest k, estimated"),
];

#[rustfmt::skip]
pub static CALLS: [Word; 2] = [
    word("label_replace", "function", "label_replace(v, \"dst\", \"$1\", \"src\", \"(.*)\")"),
    word("vector", "function", "a number as a series without labels"),
];

/// Around the label after `unwrap`.
#[rustfmt::skip]
pub static CONVERSIONS: [Word; 3] = [
    word("duration", "conversion", "a text such as 1.5s as seconds: duration(took)"),
    word("duration_seconds", "conversion", "as duration"),
    word("bytes", "conversion", "a text such as 5MiB as bytes: bytes(size)"),
];

/// After a value.
#[rustfmt::skip]
pub static KEYWORDS: [Word; 10] = [
    word("by", "grouping", "keeps only these labels: by (app)"),
    word("without", "grouping", "drops these labels"),
    word("and", "operator", "where both have the same labels"),
    word("or", "operator", "the left, and what only the right has"),
    word("unless", "operator", "the left without what the right has too"),
    word("on", "matching", "matches by these labels only"),
    word("ignoring", "matching", "matches by all labels but these"),
    word("group_left", "matching", "many on the left to one on the right"),
    word("group_right", "matching", "one on the left to many on the right"),
    word("bool", "operator", "a comparison gives 0 or 1"),
];

#[rustfmt::skip]
pub static RANGES: [Word; 8] = [
    word("1m", "range", ""),
    word("5m", "range", ""),
    word("10m", "range", ""),
    word("15m", "range", ""),
    word("30m", "range", ""),
    word("1h", "range", ""),
    word("6h", "range", ""),
    word("1d", "range", ""),
];

/// Of `logfmt`.
pub static FLAGS: [&str; 2] = ["--strict", "--keep-empty"];
