//! The PTP operator: what was configured, and which ports can do PTP.

use serde::Deserialize;

use super::common::{List, Meta, NAME, SHORT, Text, number, read, some, text, word};
use crate::model::object::Object;
use crate::model::ptp::{PtpConfig, PtpDevices, PtpPort, PtpProfile};
use crate::model::text::clean;

const MOST: usize = 256;

#[derive(Default, Deserialize)]
#[serde(default)]
struct ConfigFields {
    metadata: Meta,
    spec: Option<Spec>,
    status: Option<Status>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Spec {
    profile: List<Profile>,
    recommend: List<Recommend>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Profile {
    name: Text,
    interface: Text,
    #[serde(rename = "ptp4lOpts")]
    options: Text,
    #[serde(rename = "ptp4lConf")]
    conf: Text,
    #[serde(rename = "ts2phcConf")]
    ts2phc: Text,
    ptp_clock_threshold: Option<Threshold>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Threshold {
    hold_over_timeout: Option<i64>,
    max_offset_threshold: Option<f64>,
    min_offset_threshold: Option<f64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Recommend {
    profile: Text,
    priority: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    match_list: List<Match>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Match {
    node_name: Text,
    profile: Text,
}

pub fn ptp_config(json: &[u8]) -> Option<Object> {
    let fields: ConfigFields = read(json)?;
    let meta = fields.metadata;
    let spec = fields.spec.unwrap_or_default();
    let matches = fields.status.and_then(|s| s.match_list).unwrap_or_default();
    let profiles = spec.profile.iter().flatten().take(MOST);
    Some(Object::PtpConfig(PtpConfig {
        name: meta.name()?,
        namespace: meta.namespace(),
        generation: meta.generation(),
        profiles: profiles.map(|p| profile(p, &spec.recommend)).collect(),
        matches: matches
            .iter()
            .take(10_000)
            .map(|m| (word(&m.node_name), word(&m.profile)))
            .collect(),
    }))
}

fn profile(told: &Profile, recommended: &List<Recommend>) -> PtpProfile {
    let conf = Conf::of(told.conf.as_deref().unwrap_or_default());
    let threshold = told.ptp_clock_threshold.as_ref();
    let mut by = recommended.iter().flatten();
    let by = by.find(|r| r.profile == told.name);
    let mut interfaces: Vec<String> = some(&told.interface, SHORT).into_iter().collect();
    for (port, _) in &conf.ports {
        if !interfaces.contains(port) {
            interfaces.push(port.clone());
        }
    }
    PtpProfile {
        name: word(&told.name),
        interfaces,
        role: role(told, &conf).map(str::to_owned),
        domain: conf.domain,
        threshold_ns: threshold
            .and_then(|t| Some((t.min_offset_threshold?, t.max_offset_threshold?))),
        holdover_s: threshold
            .and_then(|t| t.hold_over_timeout)
            .map(|s| number(Some(s))),
        priority: by.and_then(|r| r.priority),
    }
}

/// What the configuration of ptp4l says of ports, domain and role.
#[derive(Default)]
struct Conf {
    /// With `masterOnly`.
    ports: Vec<(String, bool)>,
    domain: Option<u32>,
    slave_only: bool,
}

impl Conf {
    fn of(text: &str) -> Self {
        let mut conf = Self::default();
        let mut port = false;
        for line in text.lines().map(str::trim).take(10_000) {
            if let Some(section) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                let tables = ["global", "nmea", "unicast_master_table", "clocks"];
                port = !tables.contains(&section) && conf.ports.len() < MOST;
                if port {
                    conf.ports.push((clean(section, SHORT), false));
                }
                continue;
            }
            let Some((option, value)) = line.split_once(char::is_whitespace) else {
                continue;
            };
            let on = value.trim() == "1";
            match option {
                "masterOnly" | "serverOnly" if port => {
                    if let Some(last) = conf.ports.last_mut() {
                        last.1 = on;
                    }
                }
                "slaveOnly" | "clientOnly" => conf.slave_only |= on,
                "domainNumber" => conf.domain = value.trim().parse().ok(),
                _ => {}
            }
        }
        conf
    }
}

fn role(told: &Profile, conf: &Conf) -> Option<&'static str> {
    let options = told.options.as_deref().unwrap_or_default();
    if conf.slave_only || options.split_whitespace().any(|o| o == "-s") {
        return Some("OC");
    }
    let masters = conf.ports.iter().filter(|(_, master)| *master).count();
    let disciplined = told.ts2phc.as_deref().is_some_and(|t| !t.trim().is_empty());
    match masters {
        0 => None,
        all if all == conf.ports.len() => disciplined.then_some("T-GM"),
        _ => Some("T-BC"),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DeviceFields {
    metadata: Meta,
    status: Option<DeviceStatus>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DeviceStatus {
    devices: List<Device>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Device {
    name: Text,
    profile: Text,
    hardware_info: Option<Hardware>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Hardware {
    pci_address: Text,
    driver_version: Text,
    firmware_version: Text,
    link_status: Text,
    link_speed: Text,
}

pub fn ptp_devices(json: &[u8]) -> Option<Object> {
    let fields: DeviceFields = read(json)?;
    let devices = fields.status.and_then(|s| s.devices).unwrap_or_default();
    Some(Object::PtpDevices(PtpDevices {
        node: fields.metadata.name()?,
        ports: devices.iter().take(MOST).map(port).collect(),
    }))
}

fn port(device: &Device) -> PtpPort {
    let none = Hardware::default();
    let hardware = device.hardware_info.as_ref().unwrap_or(&none);
    PtpPort {
        name: text(&device.name, SHORT),
        profile: some(&device.profile, NAME),
        pci_address: some(&hardware.pci_address, SHORT),
        driver: some(&hardware.driver_version, NAME),
        firmware: some(&hardware.firmware_version, NAME),
        link_up: match hardware.link_status.as_deref() {
            Some("up") => Some(true),
            Some("down") => Some(false),
            _ => None,
        },
        link_speed: some(&hardware.link_speed, SHORT).filter(|s| s != "unknown"),
    }
}
