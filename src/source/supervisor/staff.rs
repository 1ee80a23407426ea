//! Sources that a cluster gets, and loses, while it runs: what discovery found.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLockWriteGuard};

use tokio::sync::mpsc;

use super::Plan;
use super::plan::Maker;
use super::router::{Route, SharedRoute};
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
    /// The Service, whatever the way there: `monitoring/prometheus-k8s:9090`.
    pub place: String,
    pub endpoint: Endpoint,
    /// Most series of one query's answer; `None`: as configured.
    pub series: Option<usize>,
}

/// Something of which nothing certain could be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    pub component: Component,
    /// `None`: whatever there is of the component.
    pub place: Option<String>,
    /// It may be known soon; otherwise a right is missing.
    pub passing: bool,
}

impl Doubt {
    fn is_about(&self, offer: &Offer) -> bool {
        let there = self.place.as_ref().is_none_or(|p| *p == offer.place);
        there && self.component == offer.component
    }
}

/// Takes what was found into service for one cluster.
pub struct Staff {
    maker: Maker,
    route: SharedRoute,
    orders: mpsc::UnboundedSender<Order>,
    service: Mutex<Service>,
}

#[derive(Default)]
struct Service {
    hired: BTreeMap<SourceKind, Offer>,
    /// Those of which nothing certain was known the last time.
    doubted: BTreeSet<SourceKind>,
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
            service: Mutex::default(),
        };
        (Arc::new(staff), taken)
    }

    /// From now on these are in service: what is new is hired, what is unchanged goes on, what is
    /// gone is let go. What is in doubt stays where nothing else does its work; once also where
    /// something else would, as most doubts pass.
    pub fn settle(&self, offers: &[Offer], doubts: &[Doubt]) {
        let mut service = self.service();
        let Service { hired, doubted } = &mut *service;
        let in_doubt = |held: &Offer| doubts.iter().any(|d| d.is_about(held));
        let wanted = self.placed(offers, hired);
        let again = std::mem::take(doubted);
        let held = hired.iter().filter(|(_, held)| in_doubt(held));
        doubted.extend(held.map(|(kind, _)| *kind));
        let leaving: Vec<SourceKind> = hired
            .iter()
            .filter(|(kind, held)| !wanted.contains_key(kind) && !in_doubt(held))
            .map(|(kind, _)| *kind)
            .collect();
        for kind in leaving {
            hired.remove(&kind);
            self.route().lose(kind);
            let _ = self.orders.send(Order::LetGo(kind));
        }
        for (kind, offer) in wanted {
            let stays = hired.get(&kind) == Some(&offer);
            if stays || doubted.contains(&kind) && !again.contains(&kind) {
                continue;
            }
            let (plan, part) = self.maker.source(kind, &offer.endpoint, offer.series);
            self.route().take(part);
            let _ = self.orders.send(Order::Hire(plan));
            hired.insert(kind, offer);
        }
    }

    /// Which source each is to be. What there are several of keeps its number as long as it keeps
    /// its place.
    fn placed(
        &self,
        offers: &[Offer],
        hired: &BTreeMap<SourceKind, Offer>,
    ) -> BTreeMap<SourceKind, Offer> {
        let mut wanted: BTreeMap<SourceKind, Offer> = BTreeMap::new();
        for offer in offers {
            let kind = kind_of(offer.component).unwrap_or_else(|| {
                let same =
                    |held: &Offer| (held.component, &held.place) == (offer.component, &offer.place);
                let same = hired.iter().find(|(_, held)| same(held));
                let known = same.map(|(kind, _)| *kind);
                let free =
                    |kind: &SourceKind| !hired.contains_key(kind) && !wanted.contains_key(kind);
                let (first, numbered): (u16, fn(u16) -> SourceKind) = match offer.component {
                    Component::Alertmanager => (0, SourceKind::Alertmanager),
                    _ => (self.maker.exporters(), SourceKind::Exporter),
                };
                let mut numbers = (first..=u16::MAX).map(numbered);
                known
                    .or_else(|| numbers.find(free))
                    .unwrap_or(numbered(u16::MAX))
            });
            wanted.entry(kind).or_insert_with(|| offer.clone());
        }
        wanted
    }

    /// Components that a source was started for.
    pub fn employed(&self) -> Vec<Component> {
        let service = self.service();
        service.hired.values().map(|o| o.component).collect()
    }

    /// Those in service of which nothing certain is known now.
    pub fn in_doubt(&self, doubts: &[Doubt]) -> Vec<Component> {
        let service = self.service();
        let hired = service.hired.values();
        let held = hired.filter(|held| doubts.iter().any(|d| d.is_about(held)));
        held.map(|o| o.component).collect()
    }

    fn service(&self) -> MutexGuard<'_, Service> {
        self.service.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn route(&self) -> RwLockWriteGuard<'_, Route> {
        self.route.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The source that serves a component; `None`: Alertmanagers and exporters, of which there may be
/// several.
fn kind_of(component: Component) -> Option<SourceKind> {
    match component {
        Component::Prometheus | Component::Thanos => Some(SourceKind::Prometheus),
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
            place: url.into(),
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
        staff.settle(&[offer(Thanos, "http://t/x")], &[doubt(Loki, None)]);
        assert_eq!(said(&mut orders), ["+prometheus http://t/x"]);
        assert_eq!(staff.employed(), [Thanos, Loki], "who is unsure stays");
        staff.settle(&[], &[]);
        assert_eq!(said(&mut orders), ["-prometheus", "-loki"]);
        let route = route.read().unwrap();
        assert!(route.prometheus.is_none() && route.loki.is_none());
    }

    fn doubt(component: Component, place: Option<&str>) -> Doubt {
        Doubt {
            component,
            place: place.map(str::to_owned),
            passing: true,
        }
    }

    #[test]
    fn who_is_in_doubt_is_replaced_the_second_time_only() {
        use Component::{Prometheus, Thanos};
        let (staff, mut orders, _) = staff(0);
        let (thanos, other) = (offer(Thanos, "http://t/x"), offer(Prometheus, "http://p/x"));
        let failing = [doubt(Thanos, Some("http://t/x"))];
        staff.settle(std::slice::from_ref(&thanos), &[]);
        assert_eq!(staff.in_doubt(&failing), [Thanos]);
        said(&mut orders);
        for _ in 0..2 {
            // It was well in between.
            staff.settle(std::slice::from_ref(&other), &failing);
            staff.settle(std::slice::from_ref(&thanos), &[]);
        }
        assert!(said(&mut orders).is_empty());
        staff.settle(std::slice::from_ref(&other), &failing);
        staff.settle(std::slice::from_ref(&other), &failing);
        assert_eq!(said(&mut orders), ["+prometheus http://p/x"]);
        // Another of its kind fails: that says nothing of this one, which is gone.
        staff.settle(&[], &[doubt(Prometheus, Some("http://q/x"))]);
        assert_eq!(said(&mut orders), ["-prometheus"]);
    }

    #[test]
    fn an_exporter_in_doubt_stays_beside_those_that_answer() {
        let (staff, mut orders, _) = staff(0);
        let of = |url: &str| offer(Component::Vllm, url);
        let vllm = |url| doubt(Component::Vllm, Some(url));
        staff.settle(&[of("http://a/x"), of("http://b/x")], &[]);
        said(&mut orders);
        staff.settle(&[of("http://b/x")], &[vllm("http://a/x")]);
        assert!(said(&mut orders).is_empty());
        staff.settle(&[of("http://b/x")], &[]);
        assert_eq!(said(&mut orders), ["-exporter 1"]);
    }

    #[test]
    fn another_way_to_an_exporter_keeps_its_number() {
        let (staff, mut orders, _) = staff(0);
        let held = offer(Component::Vllm, "http://a/x");
        staff.settle(std::slice::from_ref(&held), &[]);
        let mut other = offer(Component::Vllm, "http://proxy/x");
        other.place = held.place;
        staff.settle(&[other], &[]);
        assert_eq!(
            said(&mut orders),
            ["+exporter 1 http://a/x", "+exporter 1 http://proxy/x"]
        );
    }

    #[test]
    fn several_alertmanagers_keep_their_numbers() {
        let (staff, mut orders, route) = staff(2);
        let of = |url: &str| offer(Component::Alertmanager, url);
        staff.settle(&[of("http://a/x"), of("http://b/x")], &[]);
        assert_eq!(
            said(&mut orders),
            ["+alertmanager http://a/x", "+alertmanager 2 http://b/x"]
        );
        assert_eq!(route.read().unwrap().reach().alertmanagers.len(), 2);
        staff.settle(&[of("http://b/x")], &[]);
        assert_eq!(said(&mut orders), ["-alertmanager"]);
        let left = route.read().unwrap().reach().alertmanagers;
        assert_eq!(left[0].url(), "http://b/x");
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
