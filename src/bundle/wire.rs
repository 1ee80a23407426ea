//! Numbers and texts as bytes: varints, zigzag, and a cursor that never reads past its end.

use super::BundleError;

pub fn put_u64(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Small in either direction is short.
pub fn put_i64(out: &mut Vec<u8>, value: i64) {
    put_u64(out, ((value << 1) ^ (value >> 63)) as u64);
}

pub fn put_len(out: &mut Vec<u8>, len: usize) {
    put_u64(out, len as u64);
}

pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_len(out, bytes.len());
    out.extend_from_slice(bytes);
}

#[derive(Debug)]
pub struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub fn len(&self) -> usize {
        self.rest.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn byte(&mut self) -> Result<u8, BundleError> {
        let (first, rest) = self.rest.split_first().ok_or(CUT)?;
        self.rest = rest;
        Ok(*first)
    }

    pub fn take(&mut self, n: usize) -> Result<&'a [u8], BundleError> {
        let (taken, rest) = self.rest.split_at_checked(n).ok_or(CUT)?;
        self.rest = rest;
        Ok(taken)
    }

    pub fn u64(&mut self) -> Result<u64, BundleError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(BundleError::Damaged("a number is too long"))
    }

    pub fn i64(&mut self) -> Result<i64, BundleError> {
        let value = self.u64()?;
        Ok(((value >> 1) as i64) ^ -((value & 1) as i64))
    }

    pub fn u32(&mut self) -> Result<u32, BundleError> {
        u32::try_from(self.u64()?).map_err(|_| BundleError::Damaged("a number is too great"))
    }

    pub fn index(&mut self) -> Result<usize, BundleError> {
        Ok(self.u32()? as usize)
    }

    /// A number of things of which each takes at least `least` bytes: more cannot follow.
    pub fn count(&mut self, least: usize) -> Result<usize, BundleError> {
        let count = self.index()?;
        if count.saturating_mul(least) > self.len() {
            return Err(CUT);
        }
        Ok(count)
    }

    pub fn bytes(&mut self) -> Result<&'a [u8], BundleError> {
        let len = self.index()?;
        self.take(len)
    }

    pub fn fixed<const N: usize>(&mut self) -> Result<[u8; N], BundleError> {
        self.take(N)?.try_into().map_err(|_| CUT)
    }
}

const CUT: BundleError = BundleError::Damaged("it ends in the middle of something");
