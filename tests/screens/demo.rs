//! Every screen over the shipped recording, at the sizes the design names: what the sources told
//! went through the pipeline, nothing here is made up.

use farwatch::message::{Effect, Msg};
use farwatch::model::chat::{ChatEvent, Model, RunId, RunOutcome};

use crate::SIZES;
use crate::played::Played;

/// Minutes from the start, and the screens looked at then: name and keys.
type Times = [(f64, &'static [(&'static str, &'static str)])];

const TIMES: &Times = &[
    // The GPU fault has just begun.
    (
        5.0,
        &[
            ("fleet", "1"),
            ("metrics", "3"),
            ("gpu", "5"),
            ("alerts", "7"),
            ("incidents", "8"),
            ("notices", "~"),
        ],
    ),
    // Both faults are there.
    (
        16.0,
        &[
            ("fleet", "1"),
            ("cluster", "2"),
            ("cluster_pods", "2m"),
            ("metrics", "3"),
            ("metrics_usual", "3/GPU_TEMP<enter><tab>"),
            ("metrics_asked", ":promql vllm:num_requests_waiting<enter>"),
            ("logs", "4"),
            ("logs_line", "4kkkd"),
            ("logs_found", "4/timeout<enter>"),
            ("logs_patterns", "4m"),
            ("logs_volume", "4mm"),
            ("logs_compared", "4:compare 10m<enter>"),
            ("logs_asked", ":logql {namespace=\"ran-du\"}<enter>"),
            ("gpu", "5"),
            ("gpu_device", "5d"),
            ("gpu_table", "5m"),
            ("cnf", "6"),
            ("cnf_clock", "6d"),
            ("cnf_sriov", "6<tab>"),
            ("cnf_functions", "6<tab>d"),
            ("cnf_stability", "6m"),
            ("cnf_changes", "6mm"),
            ("cnf_chain", "6mmm"),
            ("cnf_network", "6<tab><tab>"),
            ("alerts", "7"),
            ("alerts_detail", "7d"),
            ("alerts_each", "7m"),
            ("alerts_rules", "7<tab><tab>"),
            ("incidents", "8"),
            ("incident", "8<enter>"),
            ("flagged", "8<enter>jjjjjjjdd"),
            ("whatif", ":whatif * high<enter>"),
            ("causes", "8<enter><tab>"),
            ("explain", "8a"),
            ("help", "?"),
            ("palette", "<c-p>du"),
            ("diagnostics", "gs"),
            ("notices", ":theme light<enter>~"),
            ("prompt", ":the"),
        ],
    ),
];

/// Kept beside the other snapshots, by its own name.
fn keep(name: &str, size: (u16, u16), screen: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let name = format!("{name}_{}x{}", size.0, size.1);
    settings.bind(|| insta::assert_snapshot!(name, screen));
}

#[test]
fn every_screen_of_the_demo() {
    let mut played = Played::new(false);
    for (minutes, shots) in TIMES {
        played.play(*minutes);
        for (name, keys) in *shots {
            for size in SIZES {
                played.fresh(size);
                played.keys(keys);
                let name = format!("demo_{minutes:02}m_{name}");
                keep(&name, size, &played.screen());
            }
        }
    }
}

/// A model that calls a tool, cites it and is still talking; then it is done.
#[test]
fn the_chat_beside_a_screen() {
    let mut played = Played::new(true);
    played.play(5.0);
    for size in SIZES {
        played.fresh(size);
        played.update(Msg::Chat(ChatEvent::Model(Model {
            name: "qwen3-32b".into(),
            context: Some(32_768),
            server: None,
        })));
        played.keys("8a");
        let asked = played.effects.iter().find_map(|effect| match effect {
            Effect::Chat(request) => Some(request.run),
            _ => None,
        });
        let run = asked.expect("the model is asked");
        for event in answer(run) {
            played.update(Msg::Chat(event));
        }
        keep("demo_05m_chat_running", size, &played.screen());
        played.update(Msg::Chat(ChatEvent::Ended {
            run,
            outcome: RunOutcome::Answered {
                prompt_tokens: Some(8_192),
                completion_tokens: Some(100),
                first_token_ms: 200,
                total_ms: 3_800,
                context_tokens: Some(8_292),
                wrote_ms: Some(2_000),
            },
        }));
        keep("demo_05m_chat", size, &played.screen());
    }
}

fn answer(run: RunId) -> [ChatEvent; 4] {
    [
        ChatEvent::Started { run },
        ChatEvent::ToolStarted {
            run,
            call: "c1".into(),
            tool: "get_gpu_summary".into(),
            arguments: "{\"cluster\":\"gpu-train-1\"}".into(),
            number: 1,
        },
        ChatEvent::ToolEnded {
            run,
            call: "c1".into(),
            result: "gpu-a-02/3 H100 88 C, hw thermal\ngpu-a-02/4 H100 61 C".into(),
            rows: 2,
            ok: true,
            duration_ms: 210,
        },
        ChatEvent::Text {
            run,
            text: "GPU 3 of `gpu-a-02` is **held down by heat** at 88 C [1].\n\n\
                   - its model server waits for it\n- the other cards are calm"
                .into(),
        },
    ]
}
