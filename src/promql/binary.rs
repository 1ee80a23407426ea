//! Operators between a vector and a scalar.

use super::error::Result;
use super::grid::{Lane, merged};
use super::labels::nameless;
use super::plan::Binary;

/// `scalar_left`: the scalar is the left operand.
pub(super) fn with_scalar(
    both: &Binary,
    mut lanes: Vec<Lane>,
    with: &[f64],
    scalar_left: bool,
) -> Result<Vec<Lane>> {
    for lane in &mut lanes {
        if both.op.drops_name() || both.bool {
            lane.labels = nameless(&lane.labels);
        }
        lane.each(|step, value| {
            let scalar = with.get(step).copied().unwrap_or(f64::NAN);
            let (left, right) = match scalar_left {
                true => (scalar, value),
                false => (value, scalar),
            };
            match both.op.compare(left, right) {
                None => Some(both.op.apply(left, right)),
                Some(holds) if both.bool => Some(f64::from(u8::from(holds))),
                // A filter: the values of the series stay what they are.
                Some(holds) => holds.then_some(value),
            }
        });
    }
    merged(lanes)
}
