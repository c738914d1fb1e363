//! A protection unit with too few regions for the loads under way, and one whose regions are powers of two.

use std::cell::Cell;
use std::collections::HashSet;
use std::mem::MaybeUninit;
use std::task::Poll;

use llext::memory::protect::{Protect, Protected, Shield, Span};
use llext::memory::{Memory, MemoryError};
use llext::source::ReadOnly;
use llext::{Error, NoopRawMutex, Registry, Source};

use super::{MOST, Outcome, host, names, verify};

type Store<M> = Registry<M, NoopRawMutex, 2>;

/// The least that is protected.
const GRANULE: usize = 32;
/// Code, constants and data: a region each.
const SLICES: usize = 3;

/// A unit without hardware.
struct Unit<'a> {
    regions: usize,
    /// Whether a region is a power of two of bytes, at a multiple of it.
    powers: bool,
    /// How many regions are in use.
    used: &'a Cell<usize>,
}

// SAFETY: nothing is protected from anyone, and nothing is run.
unsafe impl Protect for Unit<'_> {
    fn granule(&self) -> usize {
        GRANULE
    }

    fn fit(&self, size: usize) -> (usize, usize) {
        match self.powers {
            true => (size.max(GRANULE).next_power_of_two(), size.max(GRANULE).next_power_of_two()),
            false => (size.next_multiple_of(GRANULE), GRANULE),
        }
    }

    fn protect(&mut self, spans: &[Span]) -> Result<(), MemoryError> {
        let wanted = spans.iter().filter(|span| span.start < span.end).count();
        if wanted > self.regions {
            return Err(MemoryError::OutOfRegions { wanted, available: self.regions });
        }
        self.used.set(wanted);
        Ok(())
    }
}

/// Three slices of these bytes each.
fn slices(bytes: usize) -> [Vec<MaybeUninit<u8>>; 3] {
    std::array::from_fn(|_| vec![MaybeUninit::new(0); bytes])
}

/// For units of every size: a load that stops after every step it takes, and another that wants regions as well.
pub(super) fn too_few(bytes: &[u8]) -> Outcome {
    let mut cases = 0;
    let mut refused = HashSet::new();
    for regions in 0..=8 {
        for steps in 0..MOST {
            let used = Cell::new(0);
            let shield = Shield::new(Unit { regions, powers: false, used: &used });
            let [mut code, mut constants, mut data] = slices(1 << 16);
            let pool = match Protected::new(&shield, &mut code, &mut constants, &mut data) {
                Ok(pool) => pool,
                Err(MemoryError::OutOfRegions { wanted: SLICES, .. }) if regions < SLICES => break,
                Err(other) => return Err(format!("{regions} regions: {other:?}")),
            };
            let registry = Registry::new(pool);
            let (ended, refusals) = two(&registry, bytes, steps)
                .map_err(|what| format!("{regions} regions, {steps} steps: {what}"))?;
            if used.get() != SLICES {
                return Err(format!("{} of {regions} regions are in use afterwards", used.get()));
            }
            cases += 1;
            refused.extend((refusals > 0).then_some(regions));
            if ended {
                break;
            }
        }
    }
    // One load needs two more than the slices, two loads at a time four.
    match refused == HashSet::from([3, 4, 5, 6]) {
        true => Ok(cases),
        false => Err(format!("these many regions were too few: {refused:?}")),
    }
}

/// Whether the first load came to its end, and how many were refused.
fn two<M: Memory>(registry: &Store<M>, bytes: &[u8], steps: usize) -> Result<(bool, usize), String> {
    let names = names();
    let host = host(&names);
    let source: &mut dyn Source = &mut ReadOnly(bytes);
    // SAFETY: nothing is run, since nothing is brought up.
    let first = unsafe { registry.loader(&host).bring_up(false).start("first", source) };
    let mut first = first.map_err(|error| error.to_string())?;
    let mut ended = None;
    for _ in 0..steps {
        if let Poll::Ready(result) = first.step(1) {
            ended = Some(result);
            break;
        }
    }
    let second = verify(registry, ReadOnly(bytes))?;
    let refusals = [ended.as_ref().and_then(|result| result.as_ref().err()), second.as_ref().err()];
    let refusals = refusals.into_iter().flatten();
    for refusal in refusals.clone() {
        if !matches!(refusal, Error::Memory { error: MemoryError::OutOfRegions { .. }, .. }) {
            return Err(refusal.to_string());
        }
    }
    let (is_over, refusals) = (ended.is_some(), refusals.count());
    drop((first, ended));
    // Alone, what was refused beside another may not be; and the other way round never.
    match (verify(registry, ReadOnly(bytes))?, refusals) {
        (Err(_), 0) => Err("refused only when alone".to_owned()),
        _ => Ok((is_over, refusals)),
    }
}

/// Slices of every size, up to some that are large enough for what regions of powers of two make of a load.
pub(super) fn doubled(bytes: &[u8]) -> Outcome {
    let used = Cell::new(0);
    for size in (0..1 << 16).step_by(64) {
        let shield = Shield::new(Unit { regions: 8, powers: true, used: &used });
        let [mut code, mut constants, mut data] = slices(size);
        let pool = Protected::new(&shield, &mut code, &mut constants, &mut data);
        let registry: Store<_> = Registry::new(pool.map_err(|error| format!("{size} bytes: {error:?}"))?);
        match (verify(&registry, ReadOnly(bytes))?, verify(&registry, ReadOnly(bytes))?) {
            (Ok(()), Ok(())) => return Ok(size / 64),
            (Err(Error::Memory { .. }), Err(Error::Memory { .. })) => {}
            other => return Err(format!("{size} bytes: {other:?}")),
        }
    }
    Err("no slices are large enough".to_owned())
}
