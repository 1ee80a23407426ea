//! The words of PromQL with what they do.

use crate::language::Word;

const fn word(text: &'static str, kind: &'static str, help: &'static str) -> Word {
    Word { text, kind, help }
}

/// After this word labels stand in parentheses.
pub fn takes_labels(word: &str) -> bool {
    let labels = [
        "by",
        "without",
        "on",
        "ignoring",
        "group_left",
        "group_right",
    ];
    labels.iter().any(|l| word.eq_ignore_ascii_case(l))
}

/// Goes with an aggregation.
pub fn groups(word: &str) -> bool {
    word.eq_ignore_ascii_case("by") || word.eq_ignore_ascii_case("without")
}

#[rustfmt::skip]
pub static FUNCTIONS: [Word; 86] = [
    word("abs", "function", "the value without its sign"),
    word("absent", "function", "1 where no series is found, else nothing"),
    word("absent_over_time", "function", "1 where no series had a sample in the range"),
    word("acos", "function", "arc cosine, radians"),
    word("acosh", "function", "inverse hyperbolic cosine"),
    word("asin", "function", "arc sine, radians"),
    word("asinh", "function", "inverse hyperbolic sine"),
    word("atan", "function", "arc tangent, radians"),
    word("atanh", "function", "inverse hyperbolic tangent"),
    word("avg_over_time", "function", "mean of the samples in the range"),
    word("ceil", "function", "rounded up"),
    word("changes", "function", "how often the value changed in the range"),
    word("clamp", "function", "kept between min and max: clamp(v, min, max)"),
    word("clamp_max", "function", "at most this: clamp_max(v, max)"),
    word("clamp_min", "function", "at least this: clamp_min(v, min)"),
    word("cos", "function", "cosine of radians"),
    word("cosh", "function", "hyperbolic cosine"),
    word("count_over_time", "function", "number of samples in the range"),
    word("day_of_month", "function", "day of the month, 1 to 31, UTC"),
    word("day_of_week", "function", "day of the week, 0 is Sunday, UTC"),
    word("day_of_year", "function", "day of the year, UTC"),
    word("days_in_month", "function", "days of the month of a time, UTC"),
    word("deg", "function", "radians as degrees"),
    word("delta", "function", "gauge: difference of last and first value in the range"),
    word("deriv", "function", "gauge: change per second, by linear regression"),
    word("double_exponential_smoothing", "function", "gauge smoothed: (range, smoothing, trend)"),
    word("exp", "function", "e to the power of the value"),
    word("first_over_time", "function", "oldest sample in the range"),
    word("floor", "function", "rounded down"),
    word("histogram_avg", "function", "native histogram: mean of the observations"),
    word("histogram_count", "function", "native histogram: number of observations"),
    word("histogram_fraction", "function", "share of observations between two values: (lower, upper, h)"),
    word("histogram_quantile", "function", "quantile of a histogram: histogram_quantile(0.95, rate(x_bucket[5m]))"),
    word("histogram_quantiles", "function", "several quantiles of a histogram at once"),
    word("histogram_stddev", "function", "native histogram: standard deviation"),
    word("histogram_stdvar", "function", "native histogram: variance"),
    word("histogram_sum", "function", "native histogram: sum of observations"),
    word("hour", "function", "hour of the day, 0 to 23, UTC"),
    word("idelta", "function", "gauge: difference of the last two samples"),
    word("increase", "function", "counter: growth within the range, resets counted"),
    word("info", "function", "adds labels of info series"),
    word("integral", "function", "area under the curve within the range"),
    word("irate", "function", "counter: per second between the last two samples"),
    word("label_join", "function", "new label from others: (v, dst, separator, src, …)"),
    word("label_replace", "function", "label rewritten by a regex: (v, dst, new, src, regex)"),
    word("last_over_time", "function", "newest sample in the range"),
    word("ln", "function", "natural logarithm"),
    word("log10", "function", "decimal logarithm"),
    word("log2", "function", "binary logarithm"),
    word("mad_over_time", "function", "median absolute deviation in the range"),
    word("max_of", "function", "the greater of two scalars"),
    word("max_over_time", "function", "greatest sample in the range"),
    word("min_of", "function", "the lesser of two scalars"),
    word("min_over_time", "function", "least sample in the range"),
    word("minute", "function", "minute of the hour, UTC"),
    word("month", "function", "month of the year, UTC"),
    word("pi", "function", "the number π"),
    word("predict_linear", "function", "gauge in so many seconds, by linear regression: (range, s)"),
    word("present_over_time", "function", "1 for each series with a sample in the range"),
    word("quantile_over_time", "function", "quantile of the samples in the range: (0.9, range)"),
    word("rad", "function", "degrees as radians"),
    word("rate", "function", "counter: per second, mean over the range"),
    word("resets", "function", "counter: how often it began anew"),
    word("round", "function", "rounded to the nearest: round(v, to)"),
    word("scalar", "function", "the value of a single series as a number"),
    word("sgn", "function", "sign of the value: -1, 0 or 1"),
    word("sin", "function", "sine of radians"),
    word("sinh", "function", "hyperbolic sine"),
    word("sort", "function", "least value first"),
    word("sort_by_label", "function", "sorted by these labels"),
    word("sort_by_label_desc", "function", "sorted by these labels, downwards"),
    word("sort_desc", "function", "greatest value first"),
    word("sqrt", "function", "square root"),
    word("stddev_over_time", "function", "standard deviation in the range"),
    word("stdvar_over_time", "function", "variance in the range"),
    word("sum_over_time", "function", "sum of the samples in the range"),
    word("tan", "function", "tangent of radians"),
    word("tanh", "function", "hyperbolic tangent"),
    word("time", "function", "time of evaluation, seconds since 1970"),
    word("timestamp", "function", "time of each sample, seconds since 1970"),
    word("ts_of_first_over_time", "function", "time of the oldest sample in the range"),
    word("ts_of_last_over_time", "function", "time of the newest sample in the range"),
    word("ts_of_max_over_time", "function", "time of the greatest sample in the range"),
    word("ts_of_min_over_time", "function", "time of the least sample in the range"),
    word("vector", "function", "a number as a series without labels"),
    word("year", "function", "year, UTC"),
];

#[rustfmt::skip]
pub static AGGREGATIONS: [Word; 14] = [
    word("sum", "aggregation", "sum of all series, or by labels"),
    word("avg", "aggregation", "mean of the series"),
    word("min", "aggregation", "least of the series"),
    word("max", "aggregation", "greatest of the series"),
    word("count", "aggregation", "number of series"),
    word("group", "aggregation", "1 for each group"),
    word("topk", "aggregation", "the k greatest: topk(5, v)"),
    word("bottomk", "aggregation", "the k least: bottomk(5, v)"),
    word("quantile", "aggregation", "quantile over the series: quantile(0.9, v)"),
    word("count_values", "aggregation", "number of series with each value: count_values(\"label\", v)"),
    word("stddev", "aggregation", "standard deviation over the series"),
    word("stdvar", "aggregation", "variance over the series"),
    word("limitk", "aggregation", "any k series"),
    word("limit_ratio", "aggregation", "a share of the series: limit_ratio(0.1, v)"),
];

#[rustfmt::skip]
pub static KEYWORDS: [Word; 12] = [
    word("by", "keyword", "keep only these labels: sum by (node) (…)"),
    word("without", "keyword", "drop these labels: sum without (cpu) (…)"),
    word("on", "keyword", "match series by these labels only"),
    word("ignoring", "keyword", "match series by all labels but these"),
    word("group_left", "keyword", "many on the left match one on the right"),
    word("group_right", "keyword", "one on the left matches many on the right"),
    word("offset", "keyword", "as it was so long ago: x offset 1h"),
    word("bool", "keyword", "a comparison gives 0 or 1 and drops nothing"),
    word("and", "keyword", "series that are in both"),
    word("or", "keyword", "series of the left, and those only in the right"),
    word("unless", "keyword", "series of the left that are not in the right"),
    word("atan2", "keyword", "arc tangent of two values"),
];

#[rustfmt::skip]
pub static RANGES: [Word; 8] = [
    word("1m", "range", "the last minute"),
    word("5m", "range", "the last 5 minutes"),
    word("15m", "range", "the last 15 minutes"),
    word("30m", "range", "the last half hour"),
    word("1h", "range", "the last hour"),
    word("6h", "range", "the last 6 hours"),
    word("1d", "range", "the last day"),
    word("7d", "range", "the last week"),
];
