//! Queries of all kinds, most of which mean something.

use super::data::{END_MS, START_MS};
use super::random::Random;

/// A part of a query, and how far Prometheus answers it the same way each time.
#[derive(Clone, Debug)]
pub struct Part {
    pub text: String,
    /// Its series come in one order, at one step and at several.
    ordered: [bool; 2],
    /// The answer depends on an order that is random, at one step and at several.
    pub random: [bool; 2],
    /// Its last digits are those of a mathematics library.
    pub rounded: bool,
}

pub struct Generator {
    pub random: Random,
}

const RANGES: [&str; 8] = ["30s", "1m", "1m30s", "5m", "7m", "10m", "20m", "1h"];
const VALUES: [&str; 11] = [
    "0", "1", "2", "0.5", "-3.7", "10", "1e3", "0.1", "NaN", "Inf", "-Inf",
];

impl Part {
    /// A whole query that has one answer.
    pub fn exact(text: &str) -> Self {
        Self::plain(text.into())
    }

    /// Of these parts, in the order of the first.
    fn of(text: String, parts: &[&Part]) -> Self {
        let all = |step: usize| parts.iter().all(|p| p.ordered[step]);
        let any = |step: usize| parts.iter().any(|p| p.random[step]);
        Self {
            text,
            // What an operator gives for several steps comes out of a map.
            ordered: [all(0), false],
            random: [any(0), any(1)],
            rounded: false,
        }
    }

    fn kept(text: String, part: &Part) -> Self {
        Self {
            text,
            ..part.clone()
        }
    }

    fn plain(text: String) -> Self {
        Self {
            text,
            ordered: [true, true],
            random: [false, false],
            rounded: false,
        }
    }

    /// What depends on the order of this part's series.
    fn by_order(text: String, part: &Part, others: &[&Part]) -> Self {
        let mut all = vec![part];
        all.extend_from_slice(others);
        let mut new = Self::of(text, &all);
        for step in [0, 1] {
            new.random[step] |= !part.ordered[step];
        }
        new
    }
}

impl Generator {
    pub fn query(&mut self) -> Part {
        match self.random.up_to(40) {
            0 => self.window(1),
            1 => self.scalar(3),
            2 => Part::plain("\"text\"".into()),
            3..6 => self.rounded(),
            _ => {
                let depth = 1 + self.random.up_to(4) as usize;
                self.vector(depth)
            }
        }
    }

    /// Outermost: a last digit that differs would decide comparisons.
    fn rounded(&mut self) -> Part {
        let inner = self.vector(2);
        let of = &inner.text;
        let names = [
            "exp", "ln", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "sinh",
            "cosh", "tanh", "asinh", "acosh", "atanh",
        ];
        let text = match self.random.up_to(6) {
            0 => format!("{of} ^ {}", self.random.of(&VALUES)),
            1 => format!("{} ^ {of}", self.random.of(&VALUES)),
            2 => format!("{of} atan2 {}", self.random.of(&VALUES)),
            3 => format!("{of} atan2 {of}"),
            _ => format!("{}({of})", self.random.of(&names)),
        };
        let mut part = Part::of(text, &[&inner]);
        part.rounded = true;
        part
    }

    fn selector(&mut self) -> String {
        let r = &mut self.random;
        let name = r.of(&[
            "up",
            "requests_total",
            "errors_total",
            "temperature",
            "odd",
            "uneven",
            "epoch",
            "level",
            "info",
            "latency_bucket",
            "alone",
            "missing",
            "requests_total",
            "temperature",
        ]);
        let matchers = r.of(&[
            "",
            "",
            "",
            "{job=\"api\"}",
            "{job!=\"api\"}",
            "{job=~\"a.*|web\"}",
            "{job!~\"a.*\",instance=\"a:1\"}",
            "{code=\"200\"}",
            "{code=~\"[45]..\"}",
            "{sensor=\"1\"}",
            "{sensor!=\"\"}",
            "{zone=\"\"}",
            "{instance=\"c\\\"é:1\"}",
            "{le=~\".+\"}",
        ]);
        match r.up_to(15) {
            0 => "{__name__=~\"up|level|alone\"}".into(),
            1 => format!("{{__name__=\"{name}\"}}"),
            _ => format!("{name}{matchers}"),
        }
    }

    fn when(&mut self) -> String {
        let at = START_MS + self.random.up_to((END_MS - START_MS) as u64) as i64;
        let (s, ms) = (at / 1000, at % 1000);
        match self.random.up_to(24) {
            0 => " offset 5m".into(),
            1 => " offset -3m".into(),
            2 => " offset 1m30s".into(),
            3 => " @ start()".into(),
            4 => " @ end()".into(),
            5 => format!(" @ {s}.{ms:03}"),
            6 => format!(" @ {s}.{ms:03} offset 2m"),
            _ => String::new(),
        }
    }

    fn window(&mut self, depth: usize) -> Part {
        let range = self.random.of(&RANGES);
        if depth > 1 && self.random.once_in(3) {
            let inner = self.vector(depth - 1);
            // With at least one step: of an empty subquery Prometheus evaluates what is inside.
            let step = match range {
                "30s" | "1m" | "1m30s" => self.random.of(&["", "30s", "10s"]),
                _ => self.random.of(&["", "30s", "1m", "45s", "2m"]),
            };
            let when = self.when();
            let inner_text = match self.random.once_in(2) {
                true => format!("({})", inner.text),
                false => format!("sum_over_time({}[1m:30s])", inner.text),
            };
            let mut part = Part::plain(format!("{inner_text}[{range}:{step}]{when}"));
            part.ordered = [inner.ordered[1]; 2];
            part.random = [inner.random[1]; 2];
            return part;
        }
        let when = self.when();
        Part::plain(format!("{}[{range}]{when}", self.selector()))
    }

    fn scalar(&mut self, depth: usize) -> Part {
        let r = &mut self.random;
        match r.up_to(if depth == 0 { 4 } else { 9 }) {
            0 => Part::plain("time()".into()),
            1 => Part::plain("pi()".into()),
            2 | 3 => Part::plain(r.of(&VALUES).into()),
            4 => {
                let inner = self.vector(depth - 1);
                Part::of(format!("scalar({})", inner.text), &[&inner])
            }
            5 => {
                let inner = self.scalar(depth - 1);
                Part::of(format!("-({})", inner.text), &[&inner])
            }
            _ => {
                let (a, b) = (self.scalar(depth - 1), self.scalar(depth - 1));
                let op = self
                    .random
                    .of(&["+", "-", "*", "/", "%", "> bool", "<= bool", "== bool"]);
                Part::of(format!("({} {op} {})", a.text, b.text), &[&a, &b])
            }
        }
    }

    pub fn vector(&mut self, depth: usize) -> Part {
        if depth == 0 {
            let when = self.when();
            return Part::plain(format!("{}{when}", self.selector()));
        }
        match self.random.up_to(20) {
            0..5 => self.over(depth),
            5..9 => self.aggregate(depth),
            9..12 => self.matched(depth),
            12 | 13 => self.with_scalar(depth),
            14 | 15 => self.each(depth),
            16 => self.histogram(depth),
            17 => self.other(depth),
            18 => self.relabelled(depth),
            _ => {
                let inner = self.vector(depth - 1);
                Part::kept(format!("-({})", inner.text), &inner)
            }
        }
    }

    fn over(&mut self, depth: usize) -> Part {
        let window = self.window(depth);
        let w = &window.text;
        let factor = self.random.of(&["0.1", "0.5", "0.9", "0.3"]);
        let q = self
            .random
            .of(&["0", "0.25", "0.5", "0.9", "1", "-1", "2", "NaN"]);
        let text = match self.random.up_to(28) {
            0..5 => format!("rate({w})"),
            5 => format!("increase({w})"),
            6 => format!("delta({w})"),
            7 => format!("irate({w})"),
            8 => format!("idelta({w})"),
            9 => format!("deriv({w})"),
            10 if !w.contains('@') => format!("predict_linear({w}, 600)"),
            11 => format!("holt_winters({w}, {factor}, 0.4)"),
            12 => format!("quantile_over_time({q}, {w})"),
            13 => format!("absent_over_time({w})"),
            14 => format!("changes({w})"),
            15 => format!("resets({w})"),
            n => {
                let name = [
                    "avg", "sum", "min", "max", "count", "last", "present", "stddev", "stdvar",
                ][n as usize % 9];
                format!("{name}_over_time({w})")
            }
        };
        Part::kept(text, &window)
    }

    fn grouping(&mut self) -> &'static str {
        self.random.of(&[
            "",
            "",
            " by (job)",
            " by (instance, job)",
            " without (instance)",
            " by ()",
            " without ()",
            " by (code)",
            " without (code, le, sensor)",
            " by (missing)",
            " by (le)",
        ])
    }

    fn aggregate(&mut self, depth: usize) -> Part {
        let inner = self.vector(depth - 1);
        let by = self.grouping();
        let k = self.random.of(&["1", "2", "3", "0", "5.7", "-1", "100"]);
        let q = self
            .random
            .of(&["0", "0.3", "0.5", "0.99", "1", "-1", "1.5", "NaN"]);
        let of = &inner.text;
        let text = match self.random.up_to(16) {
            0 => return Part::of(format!("count{by}({of})"), &[&inner]),
            1 => return Part::of(format!("group{by}({of})"), &[&inner]),
            2 => return Part::of(format!("count_values{by}(\"value\", {of})"), &[&inner]),
            3 => return Part::of(format!("quantile{by}({q}, {of})"), &[&inner]),
            4 | 5 => format!("topk{by}({k}, {of})"),
            6 => format!("bottomk{by}({k}, {of})"),
            n => {
                let name = ["sum", "avg", "min", "max", "stddev", "stdvar", "sum"][n as usize % 7];
                format!("{name}{by}({of})")
            }
        };
        Part::by_order(text, &inner, &[])
    }

    fn matched(&mut self, depth: usize) -> Part {
        let (mut a, mut b) = (self.vector(depth - 1), self.vector(depth - 1));
        if self.random.once_in(2) {
            // Two that fit together.
            let r = &mut self.random;
            let (x, y) = r.of(&[
                ("requests_total", "errors_total"),
                ("requests_total{code=\"200\"}", "up"),
                ("temperature", "odd"),
                ("temperature", "info"),
                ("level", "up"),
                ("uneven", "temperature{sensor=\"1\"}"),
                ("info", "latency_bucket"),
            ]);
            a = Part::plain(x.into());
            b = Part::plain(y.into());
        }
        let r = &mut self.random;
        let by = r.of(&[
            "",
            "",
            " on (job, instance)",
            " ignoring (code)",
            " ignoring (code, sensor)",
            " on ()",
            " on (job)",
            " on (instance, job, code)",
            " ignoring (sensor, version, zone, le)",
        ]);
        let parts = [&a, &b];
        if r.once_in(3) {
            let op = r.of(&["and", "or", "unless"]);
            return Part::of(format!("({} {op}{by} {})", a.text, b.text), &parts);
        }
        let op = r.of(&[
            "+", "-", "*", "/", "%", ">", "<=", "==", "!=", "> bool", "== bool", "<",
        ]);
        let group = match by.is_empty() {
            true => "",
            false => r.of(&[
                "",
                "",
                " group_left",
                " group_right",
                " group_left (version)",
                " group_right (zone, missing)",
            ]),
        };
        Part::of(format!("({} {op}{by}{group} {})", a.text, b.text), &parts)
    }

    fn with_scalar(&mut self, depth: usize) -> Part {
        let (a, b) = (self.vector(depth - 1), self.scalar(depth - 1));
        let op = self.random.of(&[
            "+", "-", "*", "/", "%", ">", "<=", "==", "!=", "< bool", ">= bool",
        ]);
        let text = match self.random.once_in(2) {
            true => format!("({} {op} {})", a.text, b.text),
            false => format!("({} {op} {})", b.text, a.text),
        };
        Part::of(text, &[&a, &b])
    }

    fn each(&mut self, depth: usize) -> Part {
        let inner = self.vector(depth - 1);
        let of = &inner.text;
        let (a, b) = (self.random.of(&VALUES), self.random.of(&VALUES));
        let text = match self.random.up_to(9) {
            0 => format!("round({of})"),
            1 => format!("round({of}, {a})"),
            2 => format!("clamp({of}, {a}, {b})"),
            3 => format!("clamp_min({of}, {a})"),
            4 => format!("clamp_max({of}, {b})"),
            5 => {
                let name = self.random.of(&[
                    "minute",
                    "hour",
                    "day_of_week",
                    "day_of_month",
                    "day_of_year",
                    "days_in_month",
                    "month",
                    "year",
                ]);
                format!("{name}({of})")
            }
            _ => {
                let name = self
                    .random
                    .of(&["abs", "ceil", "floor", "sqrt", "sgn", "rad", "deg"]);
                format!("{name}({of})")
            }
        };
        Part::of(text, &[&inner])
    }

    fn histogram(&mut self, depth: usize) -> Part {
        let q = self
            .random
            .of(&["0", "0.1", "0.5", "0.9", "0.99", "1", "-1", "1.1", "NaN"]);
        let inner = match self.random.up_to(4) {
            0 => self.vector(depth - 1),
            1 => Part::plain("latency_bucket".into()),
            2 => Part::plain("rate(latency_bucket[5m])".into()),
            _ => Part::plain("sum by (job, le) (rate(latency_bucket[3m]))".into()),
        };
        let mut part = Part::of(
            format!("histogram_quantile({q}, {})", inner.text),
            &[&inner],
        );
        // Histograms come out of a map at one step too.
        part.ordered = [false, false];
        part
    }

    fn other(&mut self, depth: usize) -> Part {
        let inner = self.vector(depth - 1);
        let of = &inner.text;
        match self.random.up_to(8) {
            0 => Part::of(format!("absent({of})"), &[&inner]),
            1 if !of.contains("offset") => Part::of(format!("timestamp({of})"), &[&inner]),
            2 => Part::of(format!("sort({of})"), &[&inner]).shuffled(),
            3 => Part::of(format!("sort_desc({of})"), &[&inner]).shuffled(),
            4 => Part::plain("minute()".into()),
            5 => Part::of(format!("histogram_count({of})"), &[&inner]),
            _ => {
                let scalar = self.scalar(depth - 1);
                Part::of(format!("vector({})", scalar.text), &[&scalar])
            }
        }
    }

    fn relabelled(&mut self, depth: usize) -> Part {
        let inner = self.vector(depth - 1);
        let of = &inner.text;
        let text = match self.random.up_to(7) {
            0 => format!("label_replace({of}, \"host\", \"$1\", \"instance\", \"(.*):.*\")"),
            1 => format!("label_replace({of}, \"job\", \"x-${{1}}y\", \"job\", \"(a)(.*)\")"),
            2 => format!("label_replace({of}, \"code\", \"\", \"code\", \".*\")"),
            3 => format!("label_replace({of}, \"bad-name\", \"\", \"code\", \".*\")"),
            4 => format!("label_join({of}, \"both\", \"/\", \"job\", \"instance\")"),
            5 => format!("label_join({of}, \"job\", \"\", \"missing\")"),
            _ => format!("label_replace({of}, \"__name__\", \"renamed\", \"job\", \"api\")"),
        };
        Part::of(text, &[&inner])
    }
}

impl Part {
    /// Equal values come in any order.
    fn shuffled(mut self) -> Self {
        self.ordered = [false, false];
        self
    }
}
