//! What kind of value a field has, and what may be done with it.

/// `Any`: told only when the query runs, as of attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Any,
    Nil,
    Number,
    Text,
    Truth,
    Status,
    Kind,
}

impl Type {
    /// Of an intrinsic, with or without its scope.
    pub fn of_intrinsic(name: &str) -> Self {
        let bare = name.rsplit(':').next().unwrap_or(name).trim();
        match bare {
            "duration" | "traceDuration" | "childCount" | "nestedSetLeft" | "nestedSetRight"
            | "nestedSetParent" | "timeSinceStart" => Self::Number,
            "status" => Self::Status,
            "kind" => Self::Kind,
            "parent" => Self::Any,
            _ => Self::Text,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Any => "a value",
            Self::Nil => "nil",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Truth => "true or false",
            Self::Status => "a status",
            Self::Kind => "a kind",
        }
    }

    fn allows(self, operator: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Truth => matches!(operator, "&&" | "||" | "=" | "!="),
            Self::Number => !matches!(operator, "&&" | "||" | "=~" | "!~"),
            Self::Text => matches!(operator, "=" | "!=" | "=~" | "!~" | ">" | ">=" | "<" | "<="),
            Self::Nil | Self::Status | Self::Kind => matches!(operator, "=" | "!="),
        }
    }
}

/// What two values make; an error says why they make nothing.
pub fn joined(left: Type, operator: &str, right: Type) -> Result<Type, String> {
    let open = |t: Type| matches!(t, Type::Any | Type::Nil);
    if left != right && !open(left) && !open(right) {
        return Err(mixed(left, right));
    }
    if let Some(side) = [left, right].into_iter().find(|t| !t.allows(operator)) {
        return Err(match operator {
            "&&" | "||" => format!("`{operator}` joins conditions, not {}", side.word()),
            _ => format!("`{operator}` does not go with {}", side.word()),
        });
    }
    Ok(match (operator, left) {
        ("+" | "-" | "*" | "/" | "%" | "^", Type::Any) => right,
        ("+" | "-" | "*" | "/" | "%" | "^", left) => left,
        _ => Type::Truth,
    })
}

fn mixed(left: Type, right: Type) -> String {
    match (left, right) {
        (Type::Status, Type::Text) => "a status is a bare word: error, ok or unset".to_owned(),
        (Type::Kind, Type::Text) => "a kind is a bare word: server, client, …".to_owned(),
        (Type::Number, Type::Text) => "a number or a time is not quoted: 5, 100ms".to_owned(),
        _ => format!("{} is compared with {}", left.word(), right.word()),
    }
}

/// How strongly an operator binds between fields; `None`: it is none.
pub fn binds(operator: &str) -> Option<u8> {
    Some(match operator {
        "&&" | "||" => 1,
        "=" | "!=" | "<" | "<=" | ">" | ">=" | "=~" | "!~" => 2,
        "+" | "-" => 3,
        "*" | "/" | "%" => 4,
        "^" => 5,
        _ => return None,
    })
}
