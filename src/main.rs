//! Hooks first, then over to `cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything that makes a TLS client; fails only if one is installed already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    // No colours: reports go to logs and pipes as often as to terminals.
    let hooks = color_eyre::config::HookBuilder::blank()
        .theme(color_eyre::config::Theme::new())
        .display_env_section(false)
        .display_location_section(false)
        .install();
    if let Err(error) = hooks {
        eprintln!("farwatch: reports of panics stay plain: {error}");
    }
    farwatch::cli::main()
}
