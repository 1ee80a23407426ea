//! Replicas in one simulated bucket and time: who watches what, when one comes, goes or is deaf.

use super::*;

const I: Duration = Duration::from_secs(10);

fn clusters(count: usize) -> Vec<Arc<str>> {
    (0..count).map(|n| format!("cluster-{n}").into()).collect()
}

/// A bucket that all hear at once, and replicas that do as they are told.
struct Site {
    begin: Instant,
    /// Tenths of an interval.
    now: u32,
    revision: u64,
    store: BTreeMap<String, (Vec<u8>, u64)>,
    replicas: Vec<Replica>,
}

struct Replica {
    table: Table,
    /// Until when it watches what.
    until: BTreeMap<Arc<str>, Instant>,
    deaf: bool,
    dead: bool,
}

impl Site {
    fn new() -> Self {
        Self {
            begin: crate::clock::instant(),
            now: 0,
            revision: 0,
            store: BTreeMap::new(),
            replicas: Vec::new(),
        }
    }

    fn at(&self) -> Instant {
        self.begin + I / 10 * self.now
    }

    fn join(&mut self, name: &str, count: usize) {
        self.join_with(name, clusters(count), &[]);
    }

    /// `publishes`: clusters whose samples it publishes.
    fn join_with(&mut self, name: &str, clusters: Vec<Arc<str>>, publishes: &[&str]) {
        let publishes = publishes.iter().map(|c| Arc::from(*c)).collect();
        let mut table = Table::new(name, I, clusters, publishes);
        for (key, (body, revision)) in &self.store {
            table.hear(key, Some(body), *revision, self.at());
        }
        self.replicas.push(Replica {
            table,
            until: BTreeMap::new(),
            deaf: false,
            dead: false,
        });
        self.say_duty(self.replicas.len() - 1);
    }

    fn say_duty(&mut self, n: usize) {
        let table = &self.replicas[n].table;
        let (key, duty) = (table.duty_key(), table.duty());
        let body = rmp_serde::to_vec_named(duty).expect("packed");
        self.put(key, body);
    }

    fn put(&mut self, key: String, body: Vec<u8>) -> u64 {
        self.revision += 1;
        let (now, revision) = (self.at(), self.revision);
        for replica in self.replicas.iter_mut().filter(|r| !r.deaf && !r.dead) {
            replica.table.hear(&key, Some(&body), revision, now);
        }
        self.store.insert(key, (body, revision));
        revision
    }

    /// A tenth of an interval goes by.
    fn step(&mut self) {
        self.now += 1;
        let now = self.at();
        for n in 0..self.replicas.len() {
            let replica = &mut self.replicas[n];
            let shared = replica.table.shared().clone();
            let sure = |cluster: &Arc<str>, until| until > now || !shared.contains(cluster);
            replica.until.retain(|cluster, until| sure(cluster, *until));
            if replica.dead {
                replica.until.clear();
            }
            if replica.dead || replica.deaf {
                continue;
            }
            if self.now.is_multiple_of(10) {
                let beat = Beat {
                    replica: replica.table.name.clone(),
                    instance: replica.table.instance.clone(),
                    at: Timestamp(0),
                };
                let key = replica.table.own_key();
                self.put(key, rmp_serde::to_vec_named(&beat).expect("packed"));
            }
            for (cluster, mine) in self.replicas[n].table.look(now) {
                self.act(n, cluster, mine);
            }
        }
    }

    fn act(&mut self, n: usize, cluster: Arc<str>, mine: Mine) {
        let now = self.at();
        let key = lease_key(&cluster);
        let stands = self.store.get(&key).map_or(0, |(_, revision)| *revision);
        match mine {
            Mine::Due(revision) if revision == stands => {
                let lease = self.replicas[n].table.lease(&cluster, Timestamp(0));
                let revision = self.put(key, rmp_serde::to_vec_named(&lease).expect("packed"));
                let replica = &mut self.replicas[n];
                replica.table.renewed(&cluster, lease, revision, now);
                replica.until.insert(cluster, now + replica.table.sure());
            }
            Mine::GiveUp => {
                self.replicas[n].until.remove(&cluster);
                self.replicas[n].table.forget(&cluster);
                let free = Lease::free(cluster, Timestamp(0));
                self.put(key, rmp_serde::to_vec_named(&free).expect("packed"));
            }
            Mine::Theirs => {
                self.replicas[n].until.remove(&cluster);
            }
            Mine::Due(_) | Mine::Held | Mine::Awaited => {}
        }
    }

    /// How many watch each cluster now.
    fn watchers(&self, count: usize) -> Vec<usize> {
        let by = |c: &Arc<str>| {
            self.replicas
                .iter()
                .filter(|r| r.until.contains_key(c))
                .count()
        };
        clusters(count).iter().map(by).collect()
    }

    fn loads(&self) -> Vec<usize> {
        self.replicas.iter().map(|r| r.until.len()).collect()
    }

    fn run(&mut self, tenths: u32) {
        for _ in 0..tenths {
            self.step();
        }
    }
}

#[test]
fn two_share_evenly_and_nobody_watches_twice() {
    let mut site = Site::new();
    site.join("a", 7);
    site.run(30);
    assert_eq!(site.loads(), [7]);
    site.join("b", 7);
    for _ in 0..60 {
        site.step();
        assert!(site.watchers(7).iter().all(|n| *n <= 1));
    }
    let mut loads = site.loads();
    loads.sort_unstable();
    assert_eq!(loads, [3, 4]);
}

#[test]
fn what_a_dead_one_watched_is_taken_over_within_three_intervals() {
    let mut site = Site::new();
    for name in ["a", "b", "c"] {
        site.join(name, 20);
    }
    site.run(50);
    for at in 0..10 {
        let mut site = Site::new();
        for name in ["a", "b", "c"] {
            site.join(name, 20);
        }
        site.run(50 + at);
        site.replicas[1].dead = true;
        let mut unwatched = [0; 20];
        for _ in 0..40 {
            site.step();
            let now = site.watchers(20);
            assert!(now.iter().all(|n| *n <= 1), "{now:?}");
            for (count, n) in unwatched.iter_mut().zip(now) {
                *count += u32::from(n == 0);
            }
        }
        assert!(unwatched.iter().all(|tenths| *tenths < 30), "{unwatched:?}");
        assert!(unwatched.iter().any(|tenths| *tenths > 0));
    }
}

#[test]
fn who_is_deaf_stops_before_another_begins() {
    let mut site = Site::new();
    site.join("a", 9);
    site.join("b", 9);
    site.run(45);
    site.replicas[0].deaf = true;
    for _ in 0..60 {
        site.step();
        assert!(site.watchers(9).iter().all(|n| *n <= 1));
    }
    assert_eq!(site.loads(), [0, 9]);
    site.replicas[0].deaf = false;
    for _ in 0..60 {
        site.step();
        assert!(site.watchers(9).iter().all(|n| *n <= 1));
    }
    let loads = site.loads();
    assert!(loads == [4, 5] || loads == [5, 4], "{loads:?}");
}

#[test]
fn what_others_wrote_there_is_no_lease() {
    let mut table = Table::new("a", I, clusters(1), BTreeSet::new());
    let now = crate::clock::instant();
    table.hear("cluster.cluster-0", Some(b"\xc1junk"), 4, now);
    table.hear("cluster.elsewhere", Some(b""), 5, now);
    table.hear("replica.x", Some(b"junk"), 6, now);
    assert_eq!(table.live(now), 1);
    let due = BTreeMap::from([(Arc::from("cluster-0"), Mine::Due(4))]);
    assert_eq!(table.look(now), due);
}

/// Who has nothing to do with a cluster is not asked what it is to him: a table of thousands costs what
/// is our own.
#[test]
fn only_what_is_ours_or_our_turn_is_looked_at() {
    let mut site = Site::new();
    for name in ["a", "b", "c", "d"] {
        site.join(name, 400);
    }
    site.run(40);
    assert_eq!(site.loads(), [100; 4]);
    let now = site.at();
    let looked = site.replicas[0].table.look(now);
    assert_eq!(looked.len(), 100);
}

#[test]
fn a_renewal_of_another_is_no_news_and_all_else_is() {
    let now = crate::clock::instant();
    let (mut a, mut b) = (
        Table::new("a", I, clusters(2), BTreeSet::new()),
        Table::new("b", I, clusters(2), BTreeSet::new()),
    );
    let beat = |table: &Table| {
        let beat = Beat {
            replica: table.name.clone(),
            instance: table.instance.clone(),
            at: Timestamp(0),
        };
        rmp_serde::to_vec_named(&beat).expect("packed")
    };
    let (key, body) = (b.own_key(), beat(&b));
    assert!(a.hear(&key, Some(&body), 1, now), "another one is there");
    assert!(!a.hear(&key, Some(&body), 2, now));
    assert!(!a.hear(&key, Some(&body), 2, now), "told again");
    let cluster: Arc<str> = "cluster-0".into();
    let lease = b.lease(&cluster, Timestamp(0));
    assert_eq!(lease.life_ms, 20_000);
    let body = rmp_serde::to_vec_named(&lease).expect("packed");
    let key = lease_key(&cluster);
    assert!(a.hear(&key, Some(&body), 3, now), "taken");
    assert!(!a.hear(&key, Some(&body), 4, now), "renewed");
    b.renewed(&cluster, lease, 4, now);
    assert_eq!((a.ours(&cluster), b.ours(&cluster)), (None, Some(4)));
    let theirs = rmp_serde::to_vec_named(&a.lease(&cluster, Timestamp(0))).expect("packed");
    assert!(b.hear(&key, Some(&theirs), 5, now), "lost to another");
    assert_eq!((b.ours(&cluster), b.all_ours().len()), (None, 0));
    assert!(a.hear(&key, None, 6, now), "taken away");
    assert!(a.hear(&b.own_key(), None, 7, now), "gone");
    assert!(!a.hear(&b.own_key(), None, 8, now));
}

/// The bus lost everything: its numbers begin anew, and who is there is heard all the same.
#[test]
fn a_bucket_that_was_made_anew_is_heard() {
    let mut site = Site::new();
    site.join("a", 6);
    site.join("b", 6);
    site.run(60);
    assert!(site.revision > 20);
    (site.revision, site.store) = (0, BTreeMap::new());
    for n in 0..2 {
        site.revision += 1;
        let revision = site.revision;
        site.replicas[n].table.meet(revision);
    }
    (0..2).for_each(|n| site.say_duty(n));
    for _ in 0..60 {
        site.step();
        assert!(site.watchers(6).iter().all(|n| *n <= 1));
    }
    assert_eq!(site.loads(), [3, 3]);
    // A word of ours under a number that is greater takes nothing away.
    let held = site.replicas[0].table.all_ours();
    site.replicas[0].table.meet(site.revision + 1);
    assert_eq!(site.replicas[0].table.all_ours(), held);
}

/// What a renewal costs that is heard, and a look: printed, for docs/scale.md.
///
///     cargo test --release --lib lease::table -- --ignored --nocapture
#[test]
#[ignore = "prints figures"]
fn figures() {
    for count in [100, 1_000, 10_000, 50_000] {
        let now = crate::clock::instant();
        let mut table = Table::new("a", I, clusters(count), BTreeSet::new());
        let other = Table::new("b", I, clusters(count), BTreeSet::new());
        let beats = (count / 250).max(2) - 1;
        for n in 0..beats {
            let beat = Beat {
                replica: format!("w{n}").into(),
                instance: format!("{n:016x}").into(),
                at: Timestamp(0),
            };
            let body = rmp_serde::to_vec_named(&beat).expect("packed");
            table.hear(&format!("replica.w{n}"), Some(&body), 1 + n as u64, now);
        }
        let told: Vec<(String, Vec<u8>)> = clusters(count)
            .iter()
            .map(|c| {
                let lease = other.lease(c, Timestamp(0));
                (
                    lease_key(c),
                    rmp_serde::to_vec_named(&lease).expect("packed"),
                )
            })
            .collect();
        table.look(now);
        let mut revision = 1_000;
        let begin = crate::clock::instant();
        let rounds = (200_000 / count).max(2);
        for _ in 0..rounds {
            for (key, body) in &told {
                revision += 1;
                table.hear(key, Some(body), revision, now);
            }
        }
        let heard = begin.elapsed() / (rounds * count) as u32;
        let begin = crate::clock::instant();
        for _ in 0..100 {
            std::hint::black_box(table.look(now));
        }
        let looked = begin.elapsed() / 100;
        println!(
            "{count} clusters, {} watchers: heard {heard:?}, a look {looked:?}",
            beats + 1
        );
    }
}

#[test]
fn who_names_more_watches_what_another_does_not_name() {
    let mut site = Site::new();
    site.join("all", 4);
    site.join_with("one", clusters(1), &[]);
    site.run(60);
    assert_eq!(site.watchers(4), [1; 4]);
    // Whichever goes, what it shared is taken over, and what only it named is not.
    site.replicas[0].dead = true;
    site.run(40);
    assert_eq!(site.watchers(4), [1, 0, 0, 0]);
}

#[test]
fn a_site_that_publishes_goes_on_while_it_is_cut_off() {
    let mut site = Site::new();
    site.join("centre", 3);
    site.join_with("far", clusters(1), &["cluster-0"]);
    let by_site = |site: &Site| site.replicas[1].until.contains_key("cluster-0");
    site.run(60);
    assert!(by_site(&site));
    assert_eq!(site.watchers(3), [1; 3]);
    site.replicas[1].deaf = true;
    for _ in 0..80 {
        site.step();
        assert!(by_site(&site), "its samples wait on its disk");
    }
    // The centre looks after what it hears nothing of; the site takes it back without a break.
    assert_eq!(site.watchers(3), [2, 1, 1]);
    site.replicas[1].deaf = false;
    let missed: Vec<_> = site.store.clone().into_iter().collect();
    for (key, (body, revision)) in missed {
        let now = site.at();
        site.replicas[1]
            .table
            .hear(&key, Some(&body), revision, now);
    }
    for _ in 0..60 {
        site.step();
        assert!(by_site(&site));
    }
    assert_eq!(site.watchers(3), [1; 3]);
}
