//! How fast bodies become samples: exposition text and the JSON of Prometheus.

use std::hint::black_box;

use divan::Bencher;
use divan::counter::BytesCount;
use farwatch::source::exposition::{self, Options};
use farwatch::source::prometheus::read_query;

fn main() {
    divan::main();
}

fn fixture(path: &str) -> Vec<u8> {
    let root = env!("CARGO_MANIFEST_DIR");
    std::fs::read(format!("{root}/tests/fixtures/{path}")).expect("fixture")
}

#[divan::bench(args = ["node_exporter_real.prom", "dcgm_8xh100_mig.prom", "vllm_dp2_overloaded.prom"])]
fn text(bencher: Bencher, file: &str) {
    let body = fixture(&format!("exporters/{file}"));
    bencher.counter(BytesCount::new(body.len())).bench(|| {
        exposition::parse(black_box(&body), Options::default(), |s, _| {
            black_box(s.value);
        })
    });
}

/// A page as a large GPU site has it: 24 000 samples, 5 MB.
#[divan::bench(sample_count = 10)]
fn text_5_mb(bencher: Bencher) {
    let body = large();
    bencher.counter(BytesCount::new(body.len())).bench(|| {
        exposition::parse(black_box(body.as_bytes()), Options::default(), |s, _| {
            black_box(s.value);
        })
    });
}

fn large() -> String {
    let mut body = String::new();
    for m in 0..300 {
        body.push_str(&format!(
            "# HELP DCGM_FI_DEV_F{m:03} x\n# TYPE DCGM_FI_DEV_F{m:03} gauge\n"
        ));
        for g in 0..80 {
            body.push_str(&format!(
                "DCGM_FI_DEV_F{m:03}{{gpu=\"{g}\",UUID=\"GPU-{g:08x}-1111-2222-3333-444444444444\",modelName=\"NVIDIA H100 80GB HBM3\",Hostname=\"node-{:03}\",exported_namespace=\"ml-{}\",exported_pod=\"train-{g}-{m}-abcdefghijklmnopqrstuvwxyz\"}} {}.5\n",
                g / 8, g % 7, g * m
            ));
        }
    }
    body
}

#[divan::bench(args = ["query_vector_dcgm_temp.json", "query_range_gpu_temp_6h.json", "query_vector_ptp.json"])]
fn json(bencher: Bencher, file: &str) {
    let body = fixture(&format!("prometheus/v2.42/{file}"));
    bencher
        .counter(BytesCount::new(body.len()))
        .bench(|| read_query(black_box(&body), "x", 100_000));
}
