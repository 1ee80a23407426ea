//! What `farwatch check` says of servers of tools (MCP): real ones, and everything that is none.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::ports::Refusal;
use crate::{check, row, speaker};

const FARWATCH: &str = env!("CARGO_BIN_EXE_farwatch");
const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo.fwr");
const TOKEN: &str = "t00l-s3cret-0123456789";

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server that lets in who brings the token; and its address.
fn listening(token: &str) -> (Running, String) {
    let mut program = Command::new(FARWATCH)
        .args(["mcp", "--replay", DEMO, "--at", "3m"])
        .args(["--listen", "127.0.0.1:0", "--token-file", token])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut line = String::new();
    let stderr = program.stderr.take().expect("piped");
    BufReader::new(stderr).read_line(&mut line).expect("text");
    let url = line.split(" at ").nth(1).map(|url| url.trim().to_owned());
    (Running(program), url.unwrap_or_else(|| panic!("{line}")))
}

/// A file that holds this, and its path.
fn file(folder: &std::path::Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("written");
    path.display().to_string()
}

#[test]
fn servers_of_tools_say_who_they_are_and_what_they_have() {
    let folder = tempfile::tempdir().expect("folder");
    let token = file(folder.path(), "token", TOKEN);
    let empty = file(folder.path(), "empty.toml", "");
    let (_running, url) = listening(&token);
    let config = format!(
        "[[mcp]]\nname = \"program\"\n\
         command = [{FARWATCH:?}, \"mcp\", \"--replay\", {DEMO:?}, \"--at\", \"3m\", \"--config\", {empty:?}]\n\
         tools = [\"list_alerts\", \"list_incidents\", \"no_such\"]\nallow = [\"list_alerts\"]\n\
         [[mcp]]\nname = \"address\"\nurl = \"{url}\"\nbearer_file = \"token\"\n"
    );
    let output = check(&config, "json", folder.path());
    let text = String::from_utf8(output.stdout).expect("utf-8");
    assert_eq!(output.status.code(), Some(0), "{text}");
    let report: Value = serde_json::from_str(&text).expect("json");
    let (program, address) = (row(&report, "mcp program"), row(&report, "mcp address"));
    for row in [program, address] {
        assert_eq!(row["reachable"], true, "{row}");
        let own = concat!("farwatch ", env!("CARGO_PKG_VERSION"));
        assert_eq!(row["version"], own, "{row}");
        assert!(row["latency_ms"].is_u64(), "{row}");
    }
    assert_eq!(program["endpoint"], FARWATCH, "no arguments are shown");
    let said = program["advice"].as_str().expect("text");
    assert!(
        said.ends_with(" tools, 2 used, 1 of them where nobody can be asked; it has no no_such"),
        "{said}"
    );
    assert_eq!(address["auth"], "bearer accepted", "{address}");
    let table = check(&config, "table", folder.path()).stdout;
    let table = String::from_utf8(table).expect("utf-8");
    assert!(table.contains("all 2 endpoints answer"), "{table}");
}

#[test]
fn what_is_no_server_of_tools_is_told_with_what_to_try_and_without_secrets() {
    let folder = tempfile::tempdir().expect("folder");
    let _ = file(folder.path(), "token", TOKEN);
    let right = file(folder.path(), "right", "another-s3cret-0123456789");
    let (_running, url) = listening(&right);
    let quoting = speaker(
        "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\nno: Bearer t00l-s3cret-0123456789",
        true,
    );
    let page = speaker(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html>t00l-s3cret-0123456789",
        true,
    );
    let refusal = Refusal::new();
    let dead = refusal.address();
    let config = format!(
        "[[mcp]]\nname = \"absent\"\ncommand = [\"/no/such/program\", \"{TOKEN}\"]\n\
         [[mcp]]\nname = \"ends\"\ncommand = [\"sh\", \"-c\", \"exit 3 # {TOKEN}\"]\n\
         [[mcp]]\nname = \"mute\"\ncommand = [\"sleep\", \"60\"]\ntimeout = \"1s\"\n\
         [[mcp]]\nname = \"stranger\"\nurl = \"{url}\"\nbearer_file = \"token\"\n\
         [[mcp]]\nname = \"quoting\"\nurl = \"http://{quoting}/mcp\"\nbearer_file = \"token\"\n\
         [[mcp]]\nname = \"page\"\nurl = \"http://{page}/mcp\"\nbearer_file = \"token\"\n\
         [[mcp]]\nname = \"dead\"\nurl = \"http://{dead}/mcp\"\n\
         [[mcp]]\nname = \"unsigned\"\nurl = \"http://{dead}/mcp\"\nbearer_file = \"missing\"\n"
    );
    let output = check(&config, "json", folder.path());
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).expect("utf-8");
    assert!(!text.contains(TOKEN), "{text}");
    let report: Value = serde_json::from_str(&text).expect("json");
    assert_eq!(report["failed"], 8, "{report}");
    for (name, reachable, auth, advice) in [
        ("absent", Value::Null, "unknown", "in PATH"),
        ("ends", Value::Bool(true), "unknown", "start it by hand"),
        ("mute", Value::Bool(false), "unknown", "start it by hand"),
        ("stranger", Value::Bool(true), "refused", "bearer_file"),
        ("quoting", Value::Bool(true), "refused", "bearer_file"),
        ("page", Value::Bool(true), "unknown", "often /mcp"),
        ("dead", Value::Bool(false), "unknown", "address and port"),
        ("unsigned", Value::Null, "unknown", ""),
    ] {
        let row = row(&report, &format!("mcp {name}"));
        assert_eq!(row["reachable"], reachable, "{row}");
        assert_eq!(row["auth"], auth, "{row}");
        let error = row["error"].as_str().expect("told");
        assert!(!error.contains("rmcp::"), "{row}");
        println!("{name}: {error}");
        let said = row["advice"].as_str().expect("text");
        assert!(!said.is_empty() && said.contains(advice), "{row}");
    }
}
