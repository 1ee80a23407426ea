//! Arguments of the tools that read runbooks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Rules;

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindRunbook {
    /// Words to search for
    #[serde(default)]
    pub query: Option<String>,
    /// Those that fit it, such as INC-3; with neither: those of all open incidents
    #[serde(default)]
    pub incident: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadRunbook {
    /// As find_runbook gives it
    pub id: String,
}

impl Rules for FindRunbook {}
impl Rules for ReadRunbook {}
