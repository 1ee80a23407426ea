//! Functions of one value, and operators on two.

use std::f64::consts::PI;

pub(super) type Each = fn(f64) -> f64;

/// The function of this name that takes each value of a vector by itself.
pub(super) fn named(name: &str) -> Option<Each> {
    Some(match name {
        "abs" => f64::abs,
        "ceil" => f64::ceil,
        "floor" => f64::floor,
        "sqrt" => f64::sqrt,
        "exp" => f64::exp,
        "ln" => f64::ln,
        "log2" => f64::log2,
        "log10" => f64::log10,
        "sin" => f64::sin,
        "cos" => f64::cos,
        "tan" => f64::tan,
        "asin" => f64::asin,
        "acos" => f64::acos,
        "atan" => f64::atan,
        "sinh" => f64::sinh,
        "cosh" => f64::cosh,
        "tanh" => f64::tanh,
        "asinh" => f64::asinh,
        "acosh" => f64::acosh,
        "atanh" => f64::atanh,
        "rad" => |v| v * PI / 180.0,
        "deg" => |v| v * 180.0 / PI,
        "sgn" => sign,
        _ => return None,
    })
}

/// Zeros and NaN stay what they are.
fn sign(value: f64) -> f64 {
    if value < 0.0 {
        -1.0
    } else if value > 0.0 {
        1.0
    } else {
        value
    }
}

/// The larger one; NaN wins over all but infinity.
pub(super) fn larger(a: f64, b: f64) -> f64 {
    if a == f64::INFINITY || b == f64::INFINITY {
        f64::INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a == 0.0 && b == 0.0 {
        if a.is_sign_negative() { b } else { a }
    } else if a > b {
        a
    } else {
        b
    }
}

/// The smaller one; NaN wins over all but minus infinity.
pub(super) fn smaller(a: f64, b: f64) -> f64 {
    -larger(-a, -b)
}

/// To the nearest multiple; halves go up.
pub(super) fn rounded(value: f64, to_nearest: f64) -> f64 {
    // By the inverse: fewer multiples come out with odd last digits.
    let inverse = 1.0 / to_nearest;
    (value * inverse + 0.5).floor() / inverse
}

/// Highest exponent that is multiplied out.
const MULTIPLIED: f64 = 64.0;

/// Whole exponents are multiplied out, as Go does it; what others give is rounded by the library.
fn power(base: f64, exponent: f64) -> f64 {
    let whole = exponent.fract() == 0.0 && exponent.abs() <= MULTIPLIED;
    if !whole || !base.is_normal() {
        return base.powf(exponent);
    }
    let (mut left, mut square, mut product) = (exponent.abs() as u32, base, 1.0);
    while left > 0 {
        if left & 1 == 1 {
            product *= square;
        }
        square *= square;
        left >>= 1;
    }
    match exponent < 0.0 {
        // Where the product is out of range its inverse may be in it.
        true if product.is_normal() => 1.0 / product,
        true => base.powf(exponent),
        false => product,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Atan2,
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    And,
    Or,
    Unless,
}

impl Op {
    pub fn is_set(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Unless)
    }

    /// What comes out is no longer what the metric measures. Prometheus 2.42 lets `atan2` keep it.
    pub fn drops_name(self) -> bool {
        use Op::{Add, Div, Mod, Mul, Pow, Sub};
        matches!(self, Add | Sub | Mul | Div | Mod | Pow)
    }

    /// `None`: this is no comparison.
    pub fn compare(self, left: f64, right: f64) -> Option<bool> {
        Some(match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Greater => left > right,
            Self::Less => left < right,
            Self::GreaterOrEqual => left >= right,
            Self::LessOrEqual => left <= right,
            _ => return None,
        })
    }

    /// Of two numbers. A comparison gives 1 or 0.
    pub fn apply(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Sub => left - right,
            Self::Mul => left * right,
            Self::Div => left / right,
            Self::Mod => left % right,
            Self::Pow => power(left, right),
            Self::Atan2 => left.atan2(right),
            _ => match self.compare(left, right) {
                Some(true) => 1.0,
                Some(false) => 0.0,
                // Set operators take vectors alone.
                None => f64::NAN,
            },
        }
    }
}
