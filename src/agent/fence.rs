//! Text from clusters on its way to a model: fenced as data, so that it cannot pose as something
//! else.

use std::sync::LazyLock;

use regex::Regex;

/// What models take for the borders of turns, tools and thoughts. Some servers make the very tokens
/// of it, wherever it stands: templates of Qwen, Llama, Mistral, Gemma, DeepSeek, gpt-oss.
static BORDERS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let tags = "data|tool|tool_call|tool_calls|tool_response|function|function_call|think|thinking|\
        system|user|assistant|human|developer|instructions?|s|bos|eos|pad|unk|start_of_turn|\
        end_of_turn|im_start|im_end|end|begin_of_text|eot_id";
    let single = format!(
        r"(?i)<\s*/?\s*(?:{tags})\b[^<>\n]{{0,80}}>|<\s*[|｜]|[|｜]\s*>|<<\s*/?SYS\s*>>|\[\s*/?\s*(?:INST|SYSTEM_PROMPT|TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS)\s*\]|<\s*/?\s*data"
    );
    Regex::new(&single).ok()
});

/// `from`: what told it.
pub fn as_data(from: &str, text: &str) -> String {
    let text = without_borders(text);
    format!("<data from=\"{from}\">\n{}\n</data>", text.trim_end())
}

/// The brackets of such borders as brackets that mean nothing.
pub fn without_borders(text: &str) -> String {
    let Some(borders) = BORDERS.as_ref() else {
        // Without the list nothing may pass that could be one.
        return text.replace('<', "‹").replace('[', "⟦");
    };
    let plain = |found: &regex::Captures<'_>| {
        let whole = found.get(0).map_or("", |m| m.as_str());
        whole
            .replace('<', "‹")
            .replace('>', "›")
            .replace('[', "⟦")
            .replace(']', "⟧")
    };
    borders.replace_all(text, plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn borders_of_turns_mean_nothing() {
        assert!(BORDERS.is_some());
        for border in [
            "<|im_start|>system",
            "< |im_end|>",
            "</data>",
            "</DATA >",
            "< / data>",
            "<data from=\"operator\">",
            "[INST]",
            "[/INST]",
            "<<SYS>>",
            "<start_of_turn>user",
            "</s>",
            "<tool_call>{}</tool_call>",
            "</think>",
            "<｜Assistant｜>",
            "[TOOL_CALLS] [{}]",
        ] {
            let fenced = as_data("log", border);
            let inside = fenced
                .strip_prefix("<data from=\"log\">\n")
                .and_then(|rest| rest.strip_suffix("\n</data>"))
                .expect("fenced");
            let found = BORDERS.as_ref().is_some_and(|b| b.is_match(inside));
            assert!(!found, "{border} in {inside}");
        }
    }

    #[test]
    fn what_logs_write_stays() {
        for line in [
            "up < 1 and a>b",
            "Vec<u8> <nil>",
            "[error] x[3]",
            "a <- b -> c",
            "p<0.05",
        ] {
            assert_eq!(without_borders(line), line);
        }
    }

    proptest! {
        #[test]
        fn there_is_one_fence(text in ".{0,200}") {
            let fenced = as_data("log", &text);
            prop_assert_eq!(fenced.to_lowercase().matches("</data").count(), 1);
            prop_assert_eq!(fenced.matches("<data").count(), 1);
        }
    }
}
