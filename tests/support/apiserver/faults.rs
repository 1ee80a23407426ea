//! What goes wrong, for whom and how often.

use std::time::Duration;

/// One rule of the script; the first that fits a request is used.
#[derive(Clone, Debug)]
pub struct Fault {
    /// `list`, `watch`, `get`, `create`, `patch`; empty: any.
    verb: &'static str,
    /// Plural of the resource, or a path that begins with `/`; empty: any.
    target: String,
    /// Requests that are well before it.
    skip: usize,
    times: usize,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    /// A Kubernetes status, or plain text where the reason is empty.
    Answer {
        code: u16,
        reason: &'static str,
        message: String,
        retry_after: Option<u64>,
    },
    /// As a server refuses that hides what it has: 403 with the verb and the resource.
    Forbidden,
    /// Version too old: 410 for lists, an ERROR event for watches.
    Gone,
    /// Takes the request and never answers.
    Silent,
    /// Begins a watch, then never says a word, and never ends it.
    HalfOpen,
    /// Ends a watch in the middle of a line after so many events.
    CutAfter(usize),
    /// Answers as it should, later.
    Slow(Duration),
    /// This body with status 200.
    Garbage(Vec<u8>),
}

impl Fault {
    fn new(verb: &'static str, target: &str, what: What) -> Self {
        Self {
            verb,
            target: target.into(),
            skip: 0,
            times: usize::MAX,
            what,
        }
    }

    /// Only for so many requests.
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// Not for the first so many requests.
    pub fn skip(mut self, skip: usize) -> Self {
        self.skip = skip;
        self
    }

    pub fn once(self) -> Self {
        self.times(1)
    }

    pub fn status(
        verb: &'static str,
        target: &str,
        code: u16,
        reason: &'static str,
        message: &str,
    ) -> Self {
        let what = What::Answer {
            code,
            reason,
            message: message.into(),
            retry_after: None,
        };
        Self::new(verb, target, what)
    }

    /// 401 to everything but `/version`.
    pub fn bad_token() -> Self {
        Self::status("", "", 401, "Unauthorized", "Unauthorized")
    }

    pub fn forbidden(verb: &'static str, target: &str) -> Self {
        Self::new(verb, target, What::Forbidden)
    }

    /// 429 of priority and fairness: plain text with `Retry-After`.
    pub fn too_many(verb: &'static str, target: &str, retry_after: u64) -> Self {
        let what = What::Answer {
            code: 429,
            reason: "",
            message: "Too many requests, please try again later.\n".into(),
            retry_after: Some(retry_after),
        };
        Self::new(verb, target, what)
    }

    /// 429 of a watch cache that is not yet filled.
    pub fn initializing(verb: &'static str, target: &str) -> Self {
        let what = What::Answer {
            code: 429,
            reason: "TooManyRequests",
            message: "storage is (re)initializing".into(),
            retry_after: Some(1),
        };
        Self::new(verb, target, what)
    }

    pub fn server_error(verb: &'static str, target: &str) -> Self {
        let message = "etcdserver: leader changed";
        Self::status(verb, target, 500, "InternalError", message)
    }

    pub fn unavailable(verb: &'static str, target: &str, retry_after: Option<u64>) -> Self {
        let what = What::Answer {
            code: 503,
            reason: "ServiceUnavailable",
            message: "apiserver is shutting down".into(),
            retry_after,
        };
        Self::new(verb, target, what)
    }

    pub fn gone(verb: &'static str, target: &str) -> Self {
        Self::new(verb, target, What::Gone)
    }

    pub fn silent(verb: &'static str, target: &str) -> Self {
        Self::new(verb, target, What::Silent)
    }

    pub fn half_open(target: &str) -> Self {
        Self::new("watch", target, What::HalfOpen)
    }

    pub fn cut_after(target: &str, events: usize) -> Self {
        Self::new("watch", target, What::CutAfter(events))
    }

    pub fn slow(verb: &'static str, target: &str, by: Duration) -> Self {
        Self::new(verb, target, What::Slow(by))
    }

    pub fn garbage(verb: &'static str, target: &str, body: &[u8]) -> Self {
        Self::new(verb, target, What::Garbage(body.into()))
    }

    fn fits(&self, verb: &str, plural: &str, path: &str) -> bool {
        let verb_fits = self.verb.is_empty() || self.verb == verb;
        verb_fits
            && match self.target.as_str() {
                "" => path != "/version",
                target if target.starts_with('/') => path.starts_with(target),
                target => target == plural,
            }
    }
}

/// The fault of this request, if there is one; counts it.
pub fn next(faults: &mut Vec<Fault>, verb: &str, plural: &str, path: &str) -> Option<What> {
    let fits = |f: &&mut Fault| f.fits(verb, plural, path);
    let mut at = None;
    for fault in faults.iter_mut().filter(fits) {
        if fault.skip == 0 {
            fault.times = fault.times.saturating_sub(1);
            at = Some(fault.what.clone());
            break;
        }
        fault.skip -= 1;
    }
    faults.retain(|f| f.times > 0);
    at
}
