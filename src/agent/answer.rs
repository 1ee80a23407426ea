//! The fixed form of an answer: conclusion, confidence, evidence with what it rests on, what was
//! ruled out, next steps. A statement of fact that cites nothing that was read is unsupported.

use serde::Serialize;

/// One line of the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Claim {
    pub text: String,
    /// Numbers of the calls it rests on.
    pub cites: Vec<u32>,
    /// It rests on a call that succeeded.
    pub supported: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Answer {
    pub conclusion: String,
    pub confidence: String,
    pub evidence: Vec<Claim>,
    pub ruled_out: Vec<String>,
    pub next_steps: Vec<String>,
}

/// What a heading begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Conclusion,
    Confidence,
    Evidence,
    RuledOut,
    NextSteps,
    Other,
}

/// Longest words of a claim that are named in a note.
const WORDS: usize = 80;

fn section(line: &str) -> Option<Section> {
    let line = line.trim();
    let bold = line.strip_prefix("**").and_then(|l| l.split_once("**"));
    let (name, marked) = match (line.starts_with('#'), bold) {
        (true, _) => (line.trim_start_matches('#'), true),
        (false, Some((name, rest))) => (name, rest.trim_matches([':', ' ']).is_empty()),
        (false, None) => (line, false),
    };
    let name = name.trim().trim_end_matches(':').to_lowercase();
    let found = match name.as_str() {
        "conclusion" | "cause" | "root cause" => Section::Conclusion,
        "confidence" => Section::Confidence,
        "evidence" => Section::Evidence,
        "ruled out" => Section::RuledOut,
        "next steps" | "next step" | "actions" => Section::NextSteps,
        _ => Section::Other,
    };
    match marked {
        true => Some(found),
        // Small models forget the marks; only a word of the form counts then.
        false => (found != Section::Other && line.ends_with(':')).then_some(found),
    }
}

/// A line with its section, as far as it has words.
fn lines(text: &str) -> impl Iterator<Item = (Section, usize, &str)> {
    let mut now = Section::Other;
    text.lines().enumerate().filter_map(move |(at, line)| {
        if let Some(begun) = section(line) {
            now = begun;
            return None;
        }
        (!line.trim().is_empty()).then_some((now, at, line))
    })
}

fn item(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let bullet = ["- ", "* ", "• "].iter().find_map(|b| line.strip_prefix(b));
    let numbered = || {
        let (number, rest) = line.split_once(['.', ')'])?;
        let all_digits = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
        (all_digits && rest.starts_with(' ')).then_some(rest)
    };
    bullet.or_else(numbered).map(str::trim)
}

/// Reads an answer. `good`: numbers of the calls that succeeded. An answer without the form is a
/// conclusion.
pub fn read(text: &str, good: &[u32]) -> Answer {
    let mut answer = Answer::default();
    let mut rest = Vec::new();
    for (section, _, line) in lines(text) {
        let words = item(line).unwrap_or(line.trim()).to_owned();
        match section {
            Section::Conclusion => push(&mut answer.conclusion, line.trim()),
            Section::Confidence => push(&mut answer.confidence, &words),
            Section::Evidence => answer.evidence.push(claim(words, good)),
            Section::RuledOut => answer.ruled_out.push(words),
            Section::NextSteps => answer.next_steps.push(words),
            Section::Other => rest.push(line.trim()),
        }
    }
    if answer.conclusion.is_empty() {
        answer.conclusion = rest.join("\n");
    }
    answer
}

/// Whether it has the headings without which it is no investigation's answer.
pub fn is_formed(text: &str) -> bool {
    let answer = read(text, &[]);
    !answer.conclusion.is_empty() && !answer.evidence.is_empty()
}

fn push(to: &mut String, line: &str) {
    if !to.is_empty() {
        to.push(' ');
    }
    to.push_str(line);
}

fn claim(text: String, good: &[u32]) -> Claim {
    let cites = cites(&text);
    let supported = cites.iter().any(|n| good.contains(n));
    Claim {
        text,
        cites,
        supported,
    }
}

/// The answer with each statement of its evidence that rests on nothing marked as such.
pub fn marked(text: &str, good: &[u32]) -> String {
    let bare: Vec<usize> = lines(text)
        .filter(|(section, _, line)| {
            let stated = *section == Section::Evidence && item(line).is_some();
            stated && !cites(line).iter().any(|n| good.contains(n))
        })
        .map(|(_, at, _)| at)
        .collect();
    if bare.is_empty() {
        return text.to_owned();
    }
    let each = text
        .lines()
        .enumerate()
        .map(|(at, line)| match bare.contains(&at) {
            true => format!("{line} **(unsupported)**"),
            false => line.to_owned(),
        });
    each.collect::<Vec<_>>().join("\n")
}

/// The statements of the evidence that rest on nothing, for a note; `None`: there are none.
pub fn unsupported(text: &str, good: &[u32]) -> Option<String> {
    let answer = read(text, good);
    let bare: Vec<&Claim> = answer.evidence.iter().filter(|c| !c.supported).collect();
    let first = bare.first()?;
    let words: String = first.text.chars().take(WORDS).collect();
    Some(format!(
        "unsupported: {} of {} statements cite nothing that was read, such as {words:?}",
        bare.len(),
        answer.evidence.len()
    ))
}

/// Numbers in brackets: `[3]`, `[1, 2]`. `[0]` and dates in brackets do not count as such.
pub fn cites(text: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for part in text.split('[').skip(1) {
        let Some((inside, _)) = part.split_once(']') else {
            continue;
        };
        let numbers: Option<Vec<u32>> = inside
            .split(',')
            .map(|n| n.trim().parse::<u32>().ok().filter(|n| *n < 1_000))
            .collect();
        found.extend(numbers.unwrap_or_default());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "## Conclusion\nThe clock of n1 is lost [2].\nSo the vDU is down.\n\
        ## Confidence\nhigh, two sources agree\n## Evidence\n- offset 12000 ns at 03:06Z [2]\n\
        - the vDU restarted\n1. class 248 [7]\n\n## Ruled out\n- a deploy [3]\n\n\
        ## Next steps\n- reseat the antenna; nothing to undo\n";

    #[test]
    fn finds_citations() {
        assert_eq!(cites("a [1], b [2, 3] c [x] d [5m] [12"), [1, 2, 3]);
    }

    #[test]
    fn reads_the_form() {
        let answer = read(SAID, &[2, 3]);
        assert_eq!(
            answer.conclusion,
            "The clock of n1 is lost [2]. So the vDU is down."
        );
        assert_eq!(answer.confidence, "high, two sources agree");
        let supported: Vec<bool> = answer.evidence.iter().map(|c| c.supported).collect();
        assert_eq!(supported, [true, false, false]);
        assert_eq!(answer.ruled_out, ["a deploy [3]"]);
        assert_eq!(answer.next_steps.len(), 1);
        let bold = SAID.replace("## Evidence", "**Evidence:**");
        assert_eq!(read(&bold, &[2]).evidence.len(), 3);
        let plain = "All is well [1].";
        assert_eq!(read(plain, &[1]).conclusion, plain);
    }

    #[test]
    fn marks_what_rests_on_nothing() {
        let marked = marked(SAID, &[2, 3]);
        assert!(
            marked.contains("- the vDU restarted **(unsupported)**"),
            "{marked}"
        );
        assert!(
            marked.contains("class 248 [7] **(unsupported)**"),
            "{marked}"
        );
        assert_eq!(marked.matches("unsupported").count(), 2, "{marked}");
        let note = unsupported(SAID, &[2, 3]).expect("two");
        assert!(note.contains("2 of 3"), "{note}");
        assert_eq!(
            unsupported(SAID, &[2, 3, 7]).map(|n| n.contains("1 of 3")),
            Some(true)
        );
    }

    #[test]
    fn any_text_can_be_read() {
        for text in [
            "",
            "#",
            "**",
            "[",
            "- ",
            "1.",
            "## Evidence",
            "\u{1b}[31m",
            "## Evidence\n-",
        ] {
            read(text, &[]);
            marked(text, &[]);
        }
    }
}
