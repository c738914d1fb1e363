//! Failing surroundings: a memory and a source that fail at the k-th question, for every k; a pool in pieces; a
//! registry without a slot; a file that is cut. Afterwards all is as before, and trying again succeeds.

mod faults;
mod others;
mod regions;

pub(crate) use others::mappings;

use std::cell::RefCell;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::task::Poll;

use llext::memory::{Linux, Memory};
use llext::source::{ReadOnly, Source};
use llext::{Error, NoopRawMutex, Registry};

use crate::guarded::{Guarded, Store};
use crate::heap;
use crate::host::{Pretender, bases};
use crate::sample::{Form, HOST, good};
use crate::target;
use crate::trial::heard;
use faults::{Failing, FailingSource, Faults, How};

/// What one scenario came to: how often it failed, or what went wrong.
type Outcome = Result<usize, String>;

/// More questions than any load asks: a scenario that goes on has no end.
const MOST: usize = 10_000;

/// All scenarios; true when all held.
pub(crate) fn run(folder: &Path) -> Result<bool, String> {
    let (mut scenarios, mut cases, mut failed) = (0, 0, 0);
    let mut tell = |name: String, outcome: Outcome| {
        scenarios += 1;
        match outcome {
            Ok(count) => cases += count,
            Err(what) => {
                failed += 1;
                println!("FAIL: {name}: {what}");
            }
        }
    };
    for form in Form::ALL {
        let bytes = good(target::native(), form).bytes();
        for for_ever in [false, true] {
            let often = if for_ever { "for ever" } else { "once" };
            let scene = Scene { bytes: &bytes, for_ever };
            tell(format!("{}: a memory that fails {often}", form.name()), scene.memory());
            for how in HOWS {
                tell(format!("{}: a source that fails {often}: {how:?}", form.name()), scene.source(how));
            }
            if target::runs_here() {
                tell(format!("{}: a system that fails {often}", form.name()), scene.system());
            }
        }
        if target::runs_here() {
            tell(format!("{}: a source that blocks before every read", form.name()), blocking(&bytes));
        }
        others::run(form, &bytes, folder, &mut tell);
    }
    println!(
        "surroundings for {}: {scenarios} scenarios, {cases} cases, {failed} failed",
        target::native().name
    );
    Ok(failed == 0 && scenarios >= 30)
}

const HOWS: [How; 9] = [
    How::Error,
    How::Short,
    How::Blocks,
    How::Inverted,
    How::Zeros,
    How::Ones,
    How::Elsewhere,
    How::Shrinks,
    How::Grows,
];

/// One file, and whether what fails once fails again.
struct Scene<'a> {
    bytes: &'a [u8],
    for_ever: bool,
}

fn names() -> HashSet<Vec<u8>> {
    HashSet::from([HOST.as_bytes().to_vec()])
}

fn host(names: &HashSet<Vec<u8>>) -> Pretender<'_> {
    Pretender { names, base: bases()[0], has_libraries: false }
}

/// A load, verified; a panic is what went wrong.
fn verify<M: Memory, const N: usize>(
    registry: &Registry<M, NoopRawMutex, N>,
    source: impl Source,
) -> Result<Result<(), Error>, String> {
    let names = names();
    let verified = || registry.loader(&host(&names)).verify("hostile", source).map(|_| ());
    catch_unwind(AssertUnwindSafe(verified)).map_err(|_| heard())
}

impl Scene<'_> {
    /// Fails every reservation in turn.
    fn memory(&self) -> Outcome {
        let store = RefCell::new(Store::new()?);
        let faults = Faults::default();
        self.every(&faults, || {
            store.borrow_mut().begin(16 << 20);
            let registry = Registry::new(Failing { memory: Guarded(&store), faults: &faults });
            let said = verify(&registry, ReadOnly(self.bytes))?;
            if said.is_ok() == faults.was_met() {
                return Err(format!("met: {}, and the answer is {said:?}", faults.was_met()));
            }
            after(&registry, &store, &faults, self.bytes)
        })
    }

    /// Fails every read in turn. Bytes that change may also be bytes that do.
    fn source(&self, how: How) -> Outcome {
        let store = RefCell::new(Store::new()?);
        let (faults, none) = (Faults::default(), Faults::default());
        self.every(&faults, || {
            store.borrow_mut().begin(16 << 20);
            let registry = Registry::new(Failing { memory: Guarded(&store), faults: &none });
            let said = verify(&registry, FailingSource { bytes: self.bytes, faults: &faults, how })?;
            let must_fail = matches!(how, How::Error | How::Short | How::Blocks);
            if said.is_ok() && must_fail && faults.was_met() {
                return Err("what failed was not missed".to_owned());
            }
            after(&registry, &store, &faults, self.bytes)
        })
    }

    /// Fails every reservation and every change of protection of a load that runs.
    fn system(&self) -> Outcome {
        let faults = Faults::default();
        let memory = Failing { memory: Linux::new(), faults: &faults };
        let registry: Registry<_, NoopRawMutex, 2> = Registry::new(memory);
        let names = names();
        // What the system keeps once is kept before anything is counted.
        load(&registry, &names, self.bytes).map_err(|error| error.to_string())?;
        let before = mappings();
        self.every(&faults, || {
            let said = load(&registry, &names, self.bytes);
            if said.is_ok() && faults.was_met() {
                return Err("what failed was not missed".to_owned());
            }
            let met = faults.was_met();
            faults.set(0, false);
            load(&registry, &names, self.bytes).map_err(|error| format!("trying again: {error}"))?;
            match mappings() == before && registry.iter().next().is_none() {
                true => Ok(met),
                false => Err("mappings or extensions remain".to_owned()),
            }
        })
    }

    /// Fails the first question, then the second, until none fails any more; how many did.
    fn every(&self, faults: &Faults, mut trial: impl FnMut() -> Result<bool, String>) -> Outcome {
        for at in 1..MOST {
            let heap = heap::live();
            faults.set(at, self.for_ever);
            if !trial().map_err(|what| format!("at question {at}: {what}"))? {
                return if at > 1 { Ok(at - 1) } else { Err("nothing was asked".to_owned()) };
            }
            if heap::live() > heap || heap::was_damaged() {
                return Err(format!("at question {at}: the heap is not as before"));
            }
        }
        Err("no end of questions".to_owned())
    }
}

/// After a failure: nothing remains, and trying again succeeds. Whether there was one.
fn after<'s>(
    registry: &Registry<Failing<'_, Guarded<'s>>, NoopRawMutex, 2>,
    store: &RefCell<Store>,
    faults: &Faults,
    bytes: &[u8],
) -> Result<bool, String> {
    let met = faults.was_met();
    faults.set(0, false);
    store.borrow_mut().end()?;
    if registry.iter().next().is_some() {
        return Err("the registry is not empty".to_owned());
    }
    store.borrow_mut().begin(16 << 20);
    verify(registry, ReadOnly(bytes))?.map_err(|error| format!("trying again: {error}"))?;
    store.borrow_mut().end()?;
    Ok(met)
}

/// A load that runs, is found, and goes.
fn load<M: Memory>(
    registry: &Registry<M, NoopRawMutex, 2>,
    names: &HashSet<Vec<u8>>,
    bytes: &[u8],
) -> Result<(), Error> {
    let host = host(names);
    // SAFETY: the files of this program return at once from all they export.
    let extension = unsafe { registry.loader(&host).load("hostile", ReadOnly(bytes))? };
    drop(extension);
    Ok(())
}

/// Each read blocks once; a load that is asked again ends well.
fn blocking(bytes: &[u8]) -> Outcome {
    let registry: Registry<_, NoopRawMutex, 2> = Registry::new(Linux::new());
    let names = names();
    let host = host(&names);
    let faults = Faults::default();
    let source: &mut dyn Source = &mut FailingSource { bytes, faults: &faults, how: How::Blocks };
    // SAFETY: the files of this program return at once from all they export.
    let mut load =
        unsafe { registry.loader(&host).start("hostile", source) }.map_err(|error| error.to_string())?;
    for times in 1..MOST {
        // The next question blocks, and the one after it does not.
        faults.set(1, false);
        match load.step(u32::MAX) {
            Poll::Ready(Ok(_)) => return Ok(times),
            Poll::Ready(Err(error)) => return Err(error.to_string()),
            Poll::Pending if !faults.was_met() => return Err("pending without a reason".to_owned()),
            Poll::Pending => {
                faults.set(0, false);
                if let Poll::Ready(result) = load.step(1) {
                    return result.map(|_| times).map_err(|error| error.to_string());
                }
            }
        }
    }
    Err("no end of steps".to_owned())
}
