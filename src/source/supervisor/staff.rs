//! Sources that a cluster gets, and loses, while it runs: what discovery found.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use super::Plan;
use super::plan::{Maker, Part};
use super::router::SharedRoute;
use crate::config::Endpoint;
use crate::model::discovery::Component;
use crate::model::health::SourceKind;

/// To the task of one cluster.
pub(super) enum Order {
    /// In place of the one of the same kind, if there is one.
    Hire(Plan),
    LetGo(SourceKind),
}

/// An endpoint that was found, and what it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    pub component: Component,
    pub endpoint: Endpoint,
    /// Most series of one query's answer; `None`: as configured.
    pub series: Option<usize>,
}

/// Takes what was found into service for one cluster.
pub struct Staff {
    maker: Maker,
    route: SharedRoute,
    orders: mpsc::UnboundedSender<Order>,
    hired: Mutex<BTreeMap<SourceKind, Offer>>,
}

impl Staff {
    pub(super) fn new(
        maker: Maker,
        route: SharedRoute,
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<Order>) {
        let (orders, taken) = mpsc::unbounded_channel();
        let staff = Self {
            maker,
            route,
            orders,
            hired: Mutex::default(),
        };
        (Arc::new(staff), taken)
    }

    /// From now on these are in service: what is new is hired, what is unchanged goes on, what is
    /// gone is let go, unless nothing certain could be said of it this time.
    pub fn settle(&self, offers: &[Offer], unsure: &[Component]) {
        let mut hired = self.hired.lock().unwrap_or_else(PoisonError::into_inner);
        let mut wanted: BTreeMap<SourceKind, Offer> = BTreeMap::new();
        let taken: BTreeSet<SourceKind> = hired.keys().copied().collect();
        for offer in offers {
            let kind = kind_of(offer.component).unwrap_or_else(|| {
                let same = hired.iter().find(|(_, held)| *held == offer);
                let known = same.map(|(kind, _)| *kind);
                let free = |kind: &SourceKind| !taken.contains(kind) && !wanted.contains_key(kind);
                let first = self.maker.exporters();
                let mut numbers = (first..=u16::MAX).map(SourceKind::Exporter);
                known
                    .or_else(|| numbers.find(free))
                    .unwrap_or(SourceKind::Exporter(u16::MAX))
            });
            wanted.entry(kind).or_insert_with(|| offer.clone());
        }
        let leaving: Vec<SourceKind> = hired
            .iter()
            .filter(|(kind, held)| !wanted.contains_key(kind) && !unsure.contains(&held.component))
            .map(|(kind, _)| *kind)
            .collect();
        for kind in leaving {
            hired.remove(&kind);
            self.unroute(kind);
            let _ = self.orders.send(Order::LetGo(kind));
        }
        for (kind, offer) in wanted {
            if hired.get(&kind) == Some(&offer) {
                continue;
            }
            let (plan, part) = self.maker.source(kind, &offer.endpoint, offer.series);
            self.reroute(part);
            let _ = self.orders.send(Order::Hire(plan));
            hired.insert(kind, offer);
        }
    }

    /// Components that a source was started for.
    pub fn employed(&self) -> Vec<Component> {
        let hired = self.hired.lock().unwrap_or_else(PoisonError::into_inner);
        hired.values().map(|offer| offer.component).collect()
    }

    fn reroute(&self, part: Part) {
        let mut route = self.route.write().unwrap_or_else(PoisonError::into_inner);
        match part {
            Part::Metrics(lookup) => route.prometheus = Some(lookup),
            Part::Logs(lookup) => route.loki = Some(lookup),
            Part::Alerts(gate) => route.alertmanager = Some(gate),
            Part::None => {}
        }
    }

    fn unroute(&self, kind: SourceKind) {
        let mut route = self.route.write().unwrap_or_else(PoisonError::into_inner);
        match kind {
            SourceKind::Prometheus => route.prometheus = None,
            SourceKind::Loki => route.loki = None,
            SourceKind::Alertmanager => route.alertmanager = None,
            _ => {}
        }
    }
}

/// The source that serves a component; `None`: exporters, of which there may be several.
fn kind_of(component: Component) -> Option<SourceKind> {
    match component {
        Component::Prometheus | Component::Thanos => Some(SourceKind::Prometheus),
        Component::Alertmanager => Some(SourceKind::Alertmanager),
        Component::Loki => Some(SourceKind::Loki),
        Component::Tempo => Some(SourceKind::Tempo),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::router::SharedRoute;
    use super::*;
    use crate::config::{Cluster, Config};

    fn offer(component: Component, url: &str) -> Offer {
        Offer {
            component,
            endpoint: Endpoint {
                url: url.into(),
                ..Endpoint::default()
            },
            series: None,
        }
    }

    fn staff(exporters: usize) -> (Arc<Staff>, mpsc::UnboundedReceiver<Order>, SharedRoute) {
        let cluster = Cluster {
            name: "alpha".into(),
            exporters: vec![Endpoint::default(); exporters],
            ..Cluster::default()
        };
        let route = SharedRoute::default();
        let maker = Maker::new(&Arc::new(Config::default()), &cluster, None);
        let (staff, orders) = Staff::new(maker, route.clone());
        (staff, orders, route)
    }

    /// `+` hired, `-` let go.
    fn said(orders: &mut mpsc::UnboundedReceiver<Order>) -> Vec<String> {
        let mut said = Vec::new();
        while let Ok(order) = orders.try_recv() {
            said.push(match order {
                Order::Hire(plan) => format!("+{} {}", plan.kind, plan.endpoint),
                Order::LetGo(kind) => format!("-{kind}"),
            });
        }
        said
    }

    #[test]
    fn only_changes_are_ordered() {
        use Component::{Loki, Prometheus, Thanos};
        let (staff, mut orders, route) = staff(0);
        let both = [offer(Prometheus, "http://p/x"), offer(Loki, "http://l/x")];
        staff.settle(&both, &[]);
        assert_eq!(
            said(&mut orders),
            ["+prometheus http://p/x", "+loki http://l/x"]
        );
        assert!(route.read().unwrap().loki.is_some());
        staff.settle(&both, &[]);
        assert!(said(&mut orders).is_empty());
        // Another in its place: no farewell between.
        staff.settle(&[offer(Thanos, "http://t/x")], &[Loki]);
        assert_eq!(said(&mut orders), ["+prometheus http://t/x"]);
        assert_eq!(staff.employed(), [Thanos, Loki], "who is unsure stays");
        staff.settle(&[], &[]);
        assert_eq!(said(&mut orders), ["-prometheus", "-loki"]);
        let route = route.read().unwrap();
        assert!(route.prometheus.is_none() && route.loki.is_none());
    }

    #[test]
    fn exporters_keep_their_numbers() {
        let (staff, mut orders, _) = staff(2);
        let of = |url: &str| offer(Component::Vllm, url);
        staff.settle(&[of("http://a/x"), of("http://b/x")], &[]);
        assert_eq!(
            said(&mut orders),
            ["+exporter 3 http://a/x", "+exporter 4 http://b/x"]
        );
        staff.settle(&[of("http://b/x"), of("http://c/x")], &[]);
        assert_eq!(said(&mut orders), ["-exporter 3", "+exporter 5 http://c/x"]);
    }
}
