//! From a text to a [`Node`]. The only file that knows `promql-parser`.

use std::sync::Once;
use std::time::{Duration, UNIX_EPOCH};

use promql_parser::label::{MatchOp, Matchers};
use promql_parser::parser::value::ValueType;
use promql_parser::parser::{self, AtModifier, BinModifier, Expr, LabelModifier, Offset};
use promql_parser::parser::{Function as ParsedFunction, VectorMatchCardinality as Cardinality};

use super::error::{PromqlError, Result};
use super::plan::{
    Aggregate, Binary, Call, Function, How, Matching, Node, Of, Selector, Side, When, Window,
    Windowed,
};
use super::storage::{Matcher, NAME, Rule};
use super::value::Op;
use super::{Query, date, over, value};

/// Longest query, bytes.
const MOST_BYTES: usize = 16 << 10;
/// Operators, brackets and words of a query: the parser and we go down into them.
const MOST_PARTS: usize = 1_000;
/// How deep a query may be nested.
const MOST_DEPTH: usize = 100;
/// Longest duration, and farthest time from 1970: 1,000 years. Sums of them fit.
const MOST_MS: i64 = 1_000 * 366 * 86_400_000;

pub(super) fn parse(query: &Query) -> Result<Node> {
    check_size(query.text)?;
    know_old_names();
    let expr = parser::parse(query.text).map_err(PromqlError::Parse)?;
    Ok(Reader { query }.node(&expr, 0)?.marked())
}

/// The parser names this function as Prometheus 3 does.
fn know_old_names() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let takes = vec![ValueType::Matrix, ValueType::Scalar, ValueType::Scalar];
        let old = ParsedFunction::new("holt_winters", takes, 0, ValueType::Vector, false);
        // It fails for names that the parser has by then.
        let _ = parser::function::register_extra_functions(vec![old]);
    });
}

/// What the parser is not given: texts that would take it too deep, and durations that it cannot
/// hold.
fn check_size(query: &str) -> Result<()> {
    let too_big = |words: &str| Err(PromqlError::TooBig(words.into()));
    if query.len() > MOST_BYTES {
        return too_big("its text is longer than 16 KiB");
    }
    let parts = unquoted(query);
    let mut ranges = 0usize;
    let mut before = "";
    for part in &parts {
        match *part {
            "[" => ranges += 1,
            "]" => ranges = ranges.saturating_sub(1),
            _ => {}
        }
        let duration = ranges > 0 || before.eq_ignore_ascii_case("offset");
        let fits = |seconds: f64| seconds < MOST_MS as f64;
        if duration && part.parse::<f64>().is_ok_and(|n| !fits(n)) {
            return too_big("a duration in it is out of range");
        }
        if *part != "-" {
            before = part;
        }
    }
    match parts.len() > MOST_PARTS {
        true => too_big("it has more than 1,000 parts"),
        false => Ok(()),
    }
}

/// Its words and signs; not what is quoted, nor blanks.
fn unquoted(query: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = query;
    while let Some(first) = rest.chars().next() {
        let in_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ':');
        let length = match first {
            '"' | '\'' | '`' => quoted_length(rest, first),
            c if in_word(c) => rest.find(|c| !in_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (part, after) = rest.split_at(length);
        if !first.is_whitespace() && !matches!(first, '"' | '\'' | '`') {
            parts.push(part);
        }
        rest = after;
    }
    parts
}

/// To the closing quote, or to the end.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote != '`' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

struct Reader<'q> {
    query: &'q Query<'q>,
}

impl Reader<'_> {
    fn node(&self, expr: &Expr, depth: usize) -> Result<Node> {
        if depth > MOST_DEPTH {
            let words = format!("it is nested more than {MOST_DEPTH} deep");
            return Err(PromqlError::TooBig(words));
        }
        let below = |expr: &Expr| self.node(expr, depth + 1);
        Ok(match expr {
            Expr::NumberLiteral(number) => Node::Number(number.val),
            Expr::StringLiteral(text) => Node::Text(text.val.clone()),
            Expr::Paren(paren) => below(&paren.expr)?,
            Expr::Unary(unary) => Node::Negate(Box::new(below(&unary.expr)?)),
            Expr::VectorSelector(selector) => Node::Vector(self.selector(selector)?),
            Expr::MatrixSelector(matrix) => Node::Window(Window {
                range_ms: milliseconds(matrix.range)?,
                of: Of::Series(self.selector(&matrix.vs)?),
            }),
            Expr::Subquery(subquery) => Node::Window(Window {
                range_ms: milliseconds(subquery.range)?,
                of: Of::Subquery {
                    node: Box::new(below(&subquery.expr)?),
                    step_ms: match subquery.step {
                        Some(step) => milliseconds(step)?,
                        None => self.query.subquery_step_ms,
                    }
                    .max(1),
                    when: self.when(subquery.offset.as_ref(), subquery.at.as_ref())?,
                },
            }),
            Expr::Binary(binary) => {
                let (left, right) = (below(&binary.lhs)?, below(&binary.rhs)?);
                Node::Binary(Box::new(Binary {
                    op: operator(binary.op.id())?,
                    left,
                    right,
                    bool: binary.return_bool(),
                    matching: matching(binary.modifier.as_ref())?,
                }))
            }
            Expr::Aggregate(aggregate) => {
                let with = match &aggregate.param {
                    Some(param) => Some(below(param)?),
                    None => None,
                };
                let (without, by) = match &aggregate.modifier {
                    Some(LabelModifier::Exclude(labels)) => (true, labels.labels.clone()),
                    Some(LabelModifier::Include(labels)) => (false, labels.labels.clone()),
                    None => (false, Vec::new()),
                };
                Node::Aggregate(Box::new(Aggregate {
                    how: aggregation(&aggregate.op.to_string(), with)?,
                    without,
                    by,
                    node: below(&aggregate.expr)?,
                }))
            }
            Expr::Call(call) => {
                let args = call.args.args.iter().map(|arg| below(arg));
                let args = args.collect::<Result<Vec<Node>>>()?;
                Node::Call(Box::new(Call {
                    function: function(call.func.name)?,
                    args,
                }))
            }
            Expr::Extension(_) => return unsupported("an extension of PromQL"),
        })
    }

    fn selector(&self, selector: &parser::VectorSelector) -> Result<Selector> {
        let mut matchers = matchers(&selector.matchers)?;
        if let Some(name) = &selector.name {
            matchers.push(Matcher {
                name: NAME.into(),
                rule: Rule::Is(name.clone()),
            });
        }
        Ok(Selector {
            matchers,
            when: self.when(selector.offset.as_ref(), selector.at.as_ref())?,
        })
    }

    fn when(&self, offset: Option<&Offset>, at: Option<&AtModifier>) -> Result<When> {
        Ok(When {
            offset_ms: match offset {
                None => 0,
                Some(Offset::Pos(back)) => milliseconds(*back)?,
                Some(Offset::Neg(ahead)) => -milliseconds(*ahead)?,
            },
            at_ms: match at {
                None => None,
                Some(AtModifier::Start) => Some(self.query.start_ms),
                Some(AtModifier::End) => Some(self.query.end_ms),
                Some(AtModifier::At(time)) => Some(match time.duration_since(UNIX_EPOCH) {
                    Ok(after) => milliseconds(after)?,
                    Err(before) => -milliseconds(before.duration())?,
                }),
            },
        })
    }
}

fn unsupported<T>(what: impl Into<String>) -> Result<T> {
    Err(PromqlError::Unsupported(what.into()))
}

fn milliseconds(duration: Duration) -> Result<i64> {
    i64::try_from(duration.as_millis())
        .ok()
        .filter(|ms| *ms <= MOST_MS)
        .ok_or_else(|| PromqlError::TooBig("a duration or time in it is out of range".into()))
}

fn matchers(parsed: &Matchers) -> Result<Vec<Matcher>> {
    if !parsed.or_matchers.is_empty() {
        return unsupported("`or` between matchers");
    }
    let ours = parsed.matchers.iter().map(|m| Matcher {
        name: m.name.clone(),
        rule: match &m.op {
            MatchOp::Equal => Rule::Is(m.value.clone()),
            MatchOp::NotEqual => Rule::IsNot(m.value.clone()),
            MatchOp::Re(regex) => Rule::Like(regex.clone()),
            MatchOp::NotRe(regex) => Rule::Unlike(regex.clone()),
        },
    });
    Ok(ours.collect())
}

fn operator(id: parser::token::TokenId) -> Result<Op> {
    use parser::token as t;
    Ok(match id {
        t::T_ADD => Op::Add,
        t::T_SUB => Op::Sub,
        t::T_MUL => Op::Mul,
        t::T_DIV => Op::Div,
        t::T_MOD => Op::Mod,
        t::T_POW => Op::Pow,
        t::T_ATAN2 => Op::Atan2,
        t::T_EQLC => Op::Equal,
        t::T_NEQ => Op::NotEqual,
        t::T_GTR => Op::Greater,
        t::T_LSS => Op::Less,
        t::T_GTE => Op::GreaterOrEqual,
        t::T_LTE => Op::LessOrEqual,
        t::T_LAND => Op::And,
        t::T_LOR => Op::Or,
        t::T_LUNLESS => Op::Unless,
        _ => return unsupported("this operator"),
    })
}

fn matching(modifier: Option<&BinModifier>) -> Result<Matching> {
    let Some(modifier) = modifier else {
        return Ok(Matching::default());
    };
    let fill = &modifier.fill_values;
    if fill.lhs.is_some() || fill.rhs.is_some() {
        return unsupported("`fill`");
    }
    let (on, labels) = match &modifier.matching {
        Some(LabelModifier::Include(labels)) => (true, labels.labels.clone()),
        Some(LabelModifier::Exclude(labels)) => (false, labels.labels.clone()),
        None => (false, Vec::new()),
    };
    let (side, include) = match &modifier.card {
        Cardinality::ManyToOne(include) => (Side::ManyLeft, include.labels.clone()),
        Cardinality::OneToMany(include) => (Side::ManyRight, include.labels.clone()),
        Cardinality::OneToOne | Cardinality::ManyToMany => (Side::OneToOne, Vec::new()),
    };
    Ok(Matching {
        on,
        labels,
        side,
        include,
    })
}

fn aggregation(name: &str, with: Option<Node>) -> Result<How> {
    Ok(match (name, with) {
        ("sum", None) => How::Sum,
        ("avg", None) => How::Average,
        ("count", None) => How::Count,
        ("min", None) => How::Least,
        ("max", None) => How::Most,
        ("group", None) => How::Group,
        ("stddev", None) => How::Deviation,
        ("stdvar", None) => How::Variance,
        ("topk", Some(with)) => How::Largest(with),
        ("bottomk", Some(with)) => How::Smallest(with),
        ("limitk", Some(with)) => How::First(with),
        ("quantile", Some(with)) => How::Quantile(with),
        ("count_values", Some(Node::Text(label))) => How::CountValues(label),
        _ => return unsupported(name),
    })
}

fn function(name: &str) -> Result<Function> {
    if let Some(each) = value::named(name) {
        return Ok(Function::Each(each));
    }
    if let Some(over) = over::named(name) {
        return Ok(Function::Over(Windowed {
            over,
            keeps_name: matches!(name, "last_over_time" | "first_over_time"),
            tells_time: name == "predict_linear",
        }));
    }
    if let Some(date) = date::named(name) {
        return Ok(Function::Date(date));
    }
    Ok(match name {
        "absent" => Function::Absent,
        "absent_over_time" => Function::AbsentOverTime,
        "clamp" => Function::Clamp,
        "clamp_min" => Function::ClampMin,
        "clamp_max" => Function::ClampMax,
        "round" => Function::Round,
        "histogram_quantile" => Function::HistogramQuantile,
        "histogram_avg" | "histogram_count" | "histogram_fraction" | "histogram_stddev"
        | "histogram_stdvar" | "histogram_sum" => Function::NativeHistogram,
        "label_replace" => Function::LabelReplace,
        "label_join" => Function::LabelJoin,
        "scalar" => Function::Scalar,
        "vector" => Function::Vector,
        "time" => Function::Time,
        "pi" => Function::Pi,
        "timestamp" => Function::Timestamp,
        "sort" => Function::Sort(true),
        "sort_desc" => Function::Sort(false),
        _ => return unsupported(format!("{name}()")),
    })
}
