//! From a call of the agent's tools to the screen that shows what it read, at that time.

use serde_json::Value;

use super::State;
use crate::agent::conversation::ToolPart;
use crate::agent::tools::args::{duration_ms, moment};
use crate::command::ScreenId;
use crate::message::Effect;
use crate::model::id::ClusterId;
use crate::model::time::Timestamp;
use crate::ui::Window;
use crate::ui::view::{Focus, Goto};

impl State {
    /// `at`: when it was asked.
    pub(super) fn open_evidence(&mut self, tool: &ToolPart, at: Timestamp) -> Vec<Effect> {
        let arguments: Value = serde_json::from_str(&tool.arguments).unwrap_or(Value::Null);
        let Some(goto) = self.shows(&tool.tool, &arguments, at) else {
            self.notice(false, format!("no screen shows what {} tells", tool.tool));
            return Vec::new();
        };
        self.screen.chat_focus = false;
        // A pane that hides the screen gives way.
        let regions = crate::ui::layout::frame(self.screen.area, true);
        self.screen.chat_open = !regions.body.is_empty();
        self.drill(goto)
    }

    fn shows(&self, tool: &str, arguments: &Value, at: Timestamp) -> Option<Goto> {
        let text = |field: &str| arguments.get(field).and_then(Value::as_str);
        let screen = screen_of(tool)?;
        let focus = match tool {
            "get_pod_logs" => Some(Focus::Pod {
                cluster: self.one_cluster(arguments)?,
                namespace: text("namespace")?.into(),
                pod: text("pod")?.into(),
            }),
            "analyze_root_cause" => {
                text("trigger").and_then(|trigger| self.incident_called(trigger))
            }
            _ => None,
        };
        let query = ["query", "metric", "trace_id"].iter().find_map(|f| text(f));
        Some(Goto {
            screen,
            cluster: self.one_cluster(arguments),
            focus,
            query: query.map(str::to_owned),
            window: window(arguments, at),
        })
    }

    fn incident_called(&self, trigger: &str) -> Option<Focus> {
        let number: u32 = trigger.strip_prefix("INC-")?.parse().ok()?;
        let found = self.world.incidents.iter().find(|i| i.number == number)?;
        Some(Focus::Incident(found.id))
    }

    /// The one cluster that a call names.
    fn one_cluster(&self, arguments: &Value) -> Option<ClusterId> {
        let listed = arguments.get("clusters").and_then(Value::as_array);
        let name = match listed.map(Vec::as_slice) {
            Some([one]) => one.as_str(),
            _ => arguments.get("cluster").and_then(Value::as_str),
        }?;
        let found = self
            .world
            .clusters
            .iter()
            .find(|c| c.name.as_ref() == name)?;
        Some(found.id)
    }
}

fn screen_of(tool: &str) -> Option<ScreenId> {
    Some(match tool {
        "query_metrics" | "get_metric_trends" | "detect_anomalies" => ScreenId::Metrics,
        "query_logs" | "get_pod_logs" => ScreenId::Logs,
        "get_trace" => ScreenId::Traces,
        "list_alerts" => ScreenId::Alerts,
        "list_incidents" | "analyze_root_cause" => ScreenId::Incidents,
        "get_gpu_summary" | "get_gpu_nodes" | "get_gpu_workloads" | "get_gpu_processes"
        | "get_vllm_stats" => ScreenId::Gpu,
        "get_ptp_status" | "get_sriov_status" | "get_cnf_workloads" => ScreenId::Cnf,
        "get_gitops_status" | "get_changes" => ScreenId::GitOps,
        "get_nats_streams" => ScreenId::Bus,
        "list_clusters" | "get_fleet_summary" | "compare_clusters" => ScreenId::Fleet,
        "get_cluster_status"
        | "get_cluster_details"
        | "get_cluster_health"
        | "get_events"
        | "get_pod_issues"
        | "get_resource_usage"
        | "get_top_consumers" => ScreenId::Cluster,
        _ => return None,
    })
}

/// The time that a call was about; `None`: that of the screen stays.
fn window(arguments: &Value, at: Timestamp) -> Option<Window> {
    let text = |field: &str| arguments.get(field).and_then(Value::as_str);
    let time = |field: &str| moment(text(field)?, at).ok();
    let end = time("end").unwrap_or(at);
    let hours = arguments.get("hours").and_then(Value::as_i64);
    let span_ms = match (time("start"), text("period"), hours) {
        (Some(start), ..) => end.0.checked_sub(start.0)?,
        (None, Some(period), _) => i64::from(duration_ms(period).ok()?),
        (None, None, Some(hours)) => hours.checked_mul(3_600_000)?,
        (None, None, None) => return None,
    };
    (span_ms > 0).then_some(Window {
        end: Some(end),
        span_ms,
    })
}
