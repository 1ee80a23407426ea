//! What the terminal can do, told by the environment alone: asking it would take its answer.

use std::io::IsTerminal;

use super::TermError;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColorDepth {
    /// `NO_COLOR`, or a terminal without colours: bold, reverse and underline only.
    #[default]
    None,
    Ansi16,
    Ansi256,
    True,
}

/// A program between us and the terminal that wants some sequences wrapped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Multiplexer {
    #[default]
    None,
    Tmux,
    Screen,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Value of `TERM`.
    pub term: String,
    pub depth: ColorDepth,
    /// Only ASCII characters can be shown.
    pub ascii: bool,
    /// The line may be slow.
    pub ssh: bool,
    pub multiplexer: Multiplexer,
}

impl Capabilities {
    /// Of this process.
    pub fn from_env() -> Self {
        Self::from_vars(|name| std::env::var(name).ok())
    }

    pub fn from_vars(var: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| var(name).filter(|v| !v.is_empty());
        let term = var("TERM").unwrap_or_default();
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|n| set(n));
        let utf8 = locale.is_some_and(|l| {
            let l = l.to_ascii_lowercase();
            l.contains("utf-8") || l.contains("utf8")
        });
        let depth = if set("NO_COLOR").is_some() {
            ColorDepth::None
        } else {
            depth_of(&term, set("COLORTERM").as_deref())
        };
        let multiplexer = if set("TMUX").is_some() {
            Multiplexer::Tmux
        } else if set("STY").is_some() {
            Multiplexer::Screen
        } else {
            Multiplexer::None
        };
        Self {
            depth,
            // The console of the Linux kernel has neither braille nor block fractions.
            ascii: !utf8 || term == "linux",
            ssh: set("SSH_CONNECTION").is_some() || set("SSH_TTY").is_some(),
            multiplexer,
            term,
        }
    }
}

fn depth_of(term: &str, colorterm: Option<&str>) -> ColorDepth {
    const TRUE: [&str; 7] = [
        "-direct",
        "truecolor",
        "kitty",
        "alacritty",
        "wezterm",
        "ghostty",
        "foot",
    ];
    const MONOCHROME: [&str; 5] = ["vt100", "vt102", "vt220", "vt320", "-m"];
    if matches!(colorterm, Some("truecolor" | "24bit")) || TRUE.iter().any(|t| term.contains(t)) {
        ColorDepth::True
    } else if term.contains("256color") {
        ColorDepth::Ansi256
    } else if MONOCHROME
        .iter()
        .any(|t| term.starts_with(t) || term.ends_with(t))
    {
        ColorDepth::None
    } else {
        ColorDepth::Ansi16
    }
}

/// The screen needs a terminal at both ends, and one that can place text.
pub fn refuse(caps: &Capabilities) -> Result<(), TermError> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(TermError::NoTerminal);
    }
    if caps.term == "dumb" || caps.term.is_empty() {
        return Err(TermError::Dumb(caps.term.clone()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caps(vars: &[(&str, &str)]) -> Capabilities {
        Capabilities::from_vars(|name| {
            vars.iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn colours_by_environment_alone() {
        let depth = |vars: &[(&str, &str)]| caps(vars).depth;
        assert_eq!(depth(&[("TERM", "xterm-256color")]), ColorDepth::Ansi256);
        assert_eq!(depth(&[("TERM", "xterm")]), ColorDepth::Ansi16);
        assert_eq!(depth(&[("TERM", "vt100")]), ColorDepth::None);
        assert_eq!(depth(&[("TERM", "xterm-kitty")]), ColorDepth::True);
        let rich = [("TERM", "xterm-256color"), ("COLORTERM", "truecolor")];
        assert_eq!(depth(&rich), ColorDepth::True);
        let mut plain = rich.to_vec();
        plain.push(("NO_COLOR", "1"));
        assert_eq!(depth(&plain), ColorDepth::None);
        plain.pop();
        plain.push(("NO_COLOR", ""));
        assert_eq!(depth(&plain), ColorDepth::True, "an empty NO_COLOR is none");
    }

    #[test]
    fn ascii_without_a_utf8_locale() {
        assert!(caps(&[("LANG", "C")]).ascii);
        assert!(caps(&[]).ascii);
        assert!(!caps(&[("LANG", "en_US.UTF-8")]).ascii);
        assert!(caps(&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")]).ascii);
        assert!(!caps(&[("LC_ALL", ""), ("LANG", "C.utf8")]).ascii);
    }
}
