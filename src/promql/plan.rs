//! A query as this evaluator sees it: times are milliseconds, matchers are ours, parentheses are
//! gone, and what does not change from step to step is marked.

use super::over::Over;
use super::storage::Matcher;
use super::value::{Each, Op};

pub(super) enum Node {
    Number(f64),
    Text(String),
    Vector(Selector),
    Window(Window),
    Negate(Box<Node>),
    Binary(Box<Binary>),
    Aggregate(Box<Aggregate>),
    Call(Box<Call>),
    /// The same at all steps: evaluated at the first one.
    Once(Box<Node>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar,
    Vector,
    Window,
    Text,
}

/// When something is looked at: at the step, or at a fixed time; so much before it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct When {
    pub at_ms: Option<i64>,
    pub offset_ms: i64,
}

impl When {
    pub fn of(self, step_ms: i64) -> i64 {
        self.at_ms.unwrap_or(step_ms) - self.offset_ms
    }
}

#[derive(Clone)]
pub(super) struct Selector {
    pub matchers: Vec<Matcher>,
    pub when: When,
}

pub(super) struct Window {
    pub range_ms: i64,
    pub of: Of,
}

pub(super) enum Of {
    Series(Selector),
    Subquery {
        node: Box<Node>,
        step_ms: i64,
        when: When,
    },
}

pub(super) struct Binary {
    pub op: Op,
    pub left: Node,
    pub right: Node,
    /// A comparison gives 1 or 0, and keeps all series.
    pub bool: bool,
    pub matching: Matching,
}

/// Which series of two vectors belong together.
#[derive(Clone, Debug, Default)]
pub(super) struct Matching {
    /// By these labels alone, else by all but these.
    pub on: bool,
    pub labels: Vec<String>,
    pub side: Side,
    /// Labels that the many take from the one.
    pub include: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Side {
    #[default]
    OneToOne,
    /// `group_left`.
    ManyLeft,
    /// `group_right`.
    ManyRight,
}

pub(super) struct Aggregate {
    pub how: How,
    pub without: bool,
    pub by: Vec<String>,
    pub node: Node,
}

pub(super) enum How {
    Sum,
    Average,
    Count,
    Least,
    Most,
    Group,
    Deviation,
    Variance,
    Largest(Node),
    Smallest(Node),
    First(Node),
    Quantile(Node),
    CountValues(String),
}

pub(super) struct Call {
    pub function: Function,
    pub args: Vec<Node>,
}

pub(super) enum Function {
    /// Of each value.
    Each(Each),
    Over(Windowed),
    AbsentOverTime,
    Absent,
    Clamp,
    ClampMin,
    ClampMax,
    Round,
    Date(super::date::Date),
    HistogramQuantile,
    /// Of native histograms, of which there are none here.
    NativeHistogram,
    LabelReplace,
    LabelJoin,
    Scalar,
    Vector,
    Time,
    Pi,
    Timestamp,
    /// Ascending or descending.
    Sort(bool),
}

/// A function of the points in a window.
#[derive(Clone, Copy)]
pub(super) struct Windowed {
    pub over: Over,
    /// What it gives is still a sample of the metric.
    pub keeps_name: bool,
    /// It looks at the step beside the window.
    pub tells_time: bool,
}

impl Function {
    /// What it gives depends on the time even if what it takes does not.
    fn tells_time(&self) -> bool {
        match self {
            Self::Date(_) | Self::Time | Self::Timestamp => true,
            Self::Over(windowed) => windowed.tells_time,
            _ => false,
        }
    }
}

impl Node {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Number(_) => Kind::Scalar,
            Self::Text(_) => Kind::Text,
            Self::Window(_) => Kind::Window,
            Self::Vector(_) | Self::Aggregate(_) => Kind::Vector,
            Self::Negate(node) | Self::Once(node) => node.kind(),
            Self::Binary(binary) => match (binary.left.kind(), binary.right.kind()) {
                (Kind::Scalar, Kind::Scalar) => Kind::Scalar,
                _ => Kind::Vector,
            },
            Self::Call(call) => match call.function {
                Function::Scalar | Function::Time | Function::Pi => Kind::Scalar,
                _ => Kind::Vector,
            },
        }
    }

    /// What is the same at all steps is evaluated once: the largest such parts are marked.
    pub fn marked(mut self) -> Self {
        match self.mark() {
            true => self.once(),
            false => self,
        }
    }

    fn once(self) -> Self {
        match self {
            Self::Number(_) | Self::Text(_) | Self::Window(_) | Self::Once(_) => self,
            other => Self::Once(Box::new(other)),
        }
    }

    fn set_once(&mut self) {
        let node = std::mem::replace(self, Self::Number(0.0));
        *self = node.once();
    }

    /// True: the same at all steps. Marks its parts where it is not.
    fn mark(&mut self) -> bool {
        match self {
            Self::Number(_) | Self::Text(_) | Self::Once(_) => true,
            Self::Vector(selector) => selector.when.at_ms.is_some(),
            Self::Window(window) => match &mut window.of {
                Of::Series(selector) => selector.when.at_ms.is_some(),
                Of::Subquery { node, when, .. } => {
                    if node.mark() {
                        node.set_once();
                    }
                    when.at_ms.is_some()
                }
            },
            Self::Negate(node) => node.mark(),
            Self::Binary(binary) => mark_all(&mut [&mut binary.left, &mut binary.right]),
            Self::Aggregate(aggregate) => match &mut aggregate.how {
                How::Largest(with)
                | How::Smallest(with)
                | How::First(with)
                | How::Quantile(with) => mark_all(&mut [with, &mut aggregate.node]),
                _ => aggregate.node.mark(),
            },
            Self::Call(call) => {
                let tells_time = call.function.tells_time();
                let mut args: Vec<&mut Node> = call.args.iter_mut().collect();
                if !tells_time {
                    return mark_all(&mut args);
                }
                for arg in args {
                    if arg.mark() {
                        arg.set_once();
                    }
                }
                false
            }
        }
    }
}

fn mark_all(nodes: &mut [&mut Node]) -> bool {
    let same: Vec<bool> = nodes.iter_mut().map(|node| node.mark()).collect();
    if same.iter().all(|same| *same) {
        return true;
    }
    for (node, same) in nodes.iter_mut().zip(same) {
        if same {
            node.set_once();
        }
    }
    false
}
