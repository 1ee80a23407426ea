//! Puts the parts of an answer into their order, each once.
//!
//! Parts without a number come as they come. A part that is ahead of its turn is held for a while;
//! what did not come by then is missing, and that is said. Where parts with different texts bear the
//! same number, the numbers are none: from then on parts count as they come.

use std::collections::{BTreeMap, VecDeque};

use super::said::Said;

/// Parts and bytes of text held at most.
const HELD: usize = 512;
const HELD_BYTES: usize = 512 * 1024;
/// Ids, and stretches of missing parts, that are remembered.
const REMEMBERED: usize = 4_096;
const STRETCHES: usize = 256;
/// Parts of which is remembered what they said.
const TAKEN: usize = 4_096;

#[derive(Debug, Default)]
pub struct Order {
    /// Number of the part whose turn it is; `None`: none was taken yet.
    next: Option<u64>,
    held: BTreeMap<u64, Said>,
    held_bytes: usize,
    /// What the parts said that were taken, by number, in short.
    taken: BTreeMap<u64, u64>,
    /// Different parts bore the same number.
    is_unnumbered: bool,
    ids: VecDeque<String>,
    /// First and last number of what did not come.
    gaps: Vec<(u64, u64)>,
    /// Parts that came again and were left out.
    pub twice: u64,
    /// Parts that came after they were given up.
    pub late: u64,
    count: Option<u64>,
    first: u64,
}

impl Order {
    /// Gives the parts whose turn it is now. `id`: of the message, where it has one.
    pub fn take(&mut self, mut said: Said, id: Option<&str>) -> Vec<Said> {
        if self.is_known(said.id.as_deref().or(id)) {
            self.twice += 1;
            return Vec::new();
        }
        self.count = said.count.or(self.count);
        if self.is_unnumbered {
            said.number = None;
        }
        let Some(number) = said.number else {
            // The last word ends the waiting for what is before it.
            let mut ready = if said.last { self.let_go() } else { Vec::new() };
            ready.push(said);
            return ready;
        };
        let past = self.next.is_some_and(|next| number < next);
        if past || self.held.contains_key(&number) {
            return self.again(number, said);
        }
        if self.taken.len() < TAKEN {
            self.taken.insert(number, said.short());
        }
        // Some count from 0, some from 1: whoever begins with 1 may be ahead of 0.
        if self.next.is_none() && number == 0 {
            self.next = Some(0);
        }
        self.held_bytes += said.bytes();
        self.held.insert(number, said);
        match self.held.len() > HELD || self.held_bytes > HELD_BYTES {
            true => self.let_go(),
            false => self.ready(),
        }
    }

    /// A part whose number was there before.
    fn again(&mut self, number: u64, mut said: Said) -> Vec<Said> {
        let missed = |(from, to): &(u64, u64)| (*from..=*to).contains(&number);
        if self.gaps.iter().any(missed) {
            self.late += 1;
            return Vec::new();
        }
        if self.taken.get(&number).is_none_or(|t| *t == said.short()) {
            self.twice += 1;
            return Vec::new();
        }
        self.is_unnumbered = true;
        said.number = None;
        let mut ready = self.let_go();
        ready.push(said);
        ready
    }

    /// Parts are held because others are before them.
    pub fn is_waiting(&self) -> bool {
        !self.held.is_empty()
    }

    /// Gives what is held: what is before it is not waited for any longer.
    pub fn let_go(&mut self) -> Vec<Said> {
        let mut ready = Vec::new();
        while let Some(&number) = self.held.keys().next() {
            if self.next.is_none() {
                self.first = number.min(1);
            }
            let due = self.next.unwrap_or(self.first);
            if number > due && self.gaps.len() < STRETCHES {
                self.gaps.push((due, number - 1));
            }
            self.next = Some(number);
            ready.extend(self.ready());
        }
        ready
    }

    /// Which parts did not come.
    pub fn missing(&self) -> &[(u64, u64)] {
        &self.gaps
    }

    /// All parts have come, as many as there are to be.
    pub fn is_whole(&self) -> bool {
        let all = self.count.zip(self.next);
        self.held.is_empty()
            && !self.is_unnumbered
            && all.is_some_and(|(count, next)| next >= self.first.saturating_add(count))
    }

    fn ready(&mut self) -> Vec<Said> {
        let mut ready = Vec::new();
        while let Some(next) = self.next
            && let Some(said) = self.held.remove(&next)
        {
            self.held_bytes -= said.bytes();
            self.next = Some(next.saturating_add(1));
            ready.push(said);
        }
        ready
    }

    fn is_known(&mut self, id: Option<&str>) -> bool {
        let Some(id) = id else {
            return false;
        };
        if self.ids.iter().any(|known| known == id) {
            return true;
        }
        self.ids.push_back(id.to_owned());
        if self.ids.len() > REMEMBERED {
            self.ids.pop_front();
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn part(number: u64) -> Said {
        Said {
            number: Some(number),
            piece: format!("{number} "),
            ..Said::default()
        }
    }

    fn told(parts: Vec<Said>) -> String {
        parts.into_iter().map(|said| said.piece).collect()
    }

    fn all(numbers: &[u64]) -> (String, Order) {
        let mut order = Order::default();
        let mut out = String::new();
        for number in numbers {
            out.push_str(&told(order.take(part(*number), None)));
        }
        out.push_str(&told(order.let_go()));
        (out, order)
    }

    #[test]
    fn parts_come_in_order_and_once() {
        let (text, order) = all(&[0, 2, 1, 1, 3, 0]);
        assert_eq!((text.as_str(), order.twice), ("0 1 2 3 ", 2));
        assert!(order.missing().is_empty());
        let (text, order) = all(&[2, 1, 3]);
        assert_eq!(text, "1 2 3 ");
        assert!(order.missing().is_empty(), "it is counted from 1");
        assert_eq!(all(&[1, 0, 2]).0, "0 1 2 ");
    }

    #[test]
    fn what_does_not_come_is_missing() {
        let (text, order) = all(&[0, 3, 6]);
        assert_eq!(text, "0 3 6 ");
        assert_eq!(order.missing(), [(1, 2), (4, 5)]);
        let (text, mut order) = all(&[5]);
        assert_eq!((text.as_str(), order.missing()), ("5 ", &[(1, 4)][..]));
        assert!(order.take(part(2), None).is_empty());
        assert_eq!((order.late, order.twice), (1, 0));
        let (_, order) = all(&[0, u64::MAX]);
        assert_eq!(order.missing(), [(1, u64::MAX - 1)]);
    }

    /// Some number every piece of a stream alike, as the one choice of several that it is of.
    #[test]
    fn numbers_that_all_are_the_same_are_none() {
        for number in [0, 1] {
            let mut order = Order::default();
            let mut out = String::new();
            for piece in ["How", " are", " you", " you", "?"] {
                let said = Said {
                    piece: piece.into(),
                    ..part(number)
                };
                out.push_str(&told(order.take(said, None)));
            }
            assert_eq!(out, "How are you you?");
            assert_eq!((order.twice, order.missing().len()), (0, 0));
            let last = Said {
                last: true,
                number: Some(number),
                ..Said::default()
            };
            assert_eq!(order.take(last, None).len(), 1);
        }
    }

    #[test]
    fn a_number_of_parts_without_end_ends_nothing() {
        let mut order = Order::default();
        for number in [1, 2] {
            let said = Said {
                count: Some(u64::MAX),
                ..part(number)
            };
            order.take(said, None);
            order.let_go();
            assert!(!order.is_whole());
        }
    }

    #[test]
    fn the_last_word_ends_the_waiting() {
        let mut order = Order::default();
        assert_eq!(told(order.take(part(1), None)), "");
        let last = Said {
            last: true,
            piece: "end".into(),
            ..Said::default()
        };
        assert_eq!(told(order.take(last, None)), "1 end");
    }

    #[test]
    fn ids_and_counts() {
        let mut order = Order::default();
        let said = |piece: &str| Said {
            piece: piece.into(),
            ..Said::default()
        };
        assert_eq!(order.take(said("a"), Some("1")).len(), 1);
        assert_eq!(order.take(said("a"), Some("1")).len(), 0);
        assert_eq!(
            order.take(said("a"), None).len(),
            1,
            "without an id nobody knows"
        );
        let counted = |number| Said {
            count: Some(2),
            ..part(number)
        };
        let mut order = Order::default();
        order.take(counted(0), None);
        assert!(!order.is_whole());
        order.take(counted(1), None);
        assert!(order.is_whole());
    }

    proptest! {
        #[test]
        fn any_order_gives_the_same(mut numbers in Just((0..40_u64).collect::<Vec<_>>()).prop_shuffle(),
                                    again in 0..40_u64, from in 0..2_u64) {
            numbers.push(again);
            let numbers: Vec<u64> = numbers.iter().map(|n| n + from).collect();
            let (text, order) = all(&numbers);
            let wanted: String = (0..40).map(|n| format!("{} ", n + from)).collect();
            prop_assert_eq!(text, wanted);
            prop_assert_eq!(order.twice, 1);
        }

        #[test]
        fn what_is_held_is_bounded(numbers in proptest::collection::vec(any::<u64>(), 0..2_000)) {
            let mut order = Order::default();
            for number in numbers {
                order.take(part(number), None);
                prop_assert!(order.held.len() <= HELD + 1);
            }
        }
    }
}
