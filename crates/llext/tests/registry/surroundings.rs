//! Faults of the surroundings: every read and everything that is asked of memory fails once, and for ever after. It is then
//! as it was before, and what is tried again succeeds.

use crate::arena::Arena;
use crate::kit::{App, Apps, HOST, apps, call, in_use, live, load, noted, object, shared};
use crate::needs::note;
use core::ops::Range;
use llext::loader::LoadNeeded;
use llext::lock::StdRawMutex;
use llext::memory::MemoryError;
use llext::source::{ReadError, ReadOnly};
use llext::{Error, Source};

/// What is loaded: needs a second, uses a third, and notes when it comes and goes.
fn user() -> [&'static [u8]; 2] {
    let source = note("second")
        + "extern int one(void), two(void); static int data[4] = {1, 2, 3, 4}; int *pointer = data;
           __attribute__((constructor)) static void up(void) { note(1); }
           __attribute__((destructor)) static void down(void) { note(2); }
           int probe(void) { return one() + two() + pointer[3]; }";
    [object(&source), shared(&source)]
}

/// Bytes of which some reads fail.
struct Fails {
    bytes: &'static [u8],
    reads: usize,
    fails: Range<usize>,
    how: fn(u64) -> ReadError,
}

impl Source for Fails {
    fn size(&mut self) -> Result<u64, ReadError> {
        Ok(self.bytes.len() as u64)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        self.reads += 1;
        if self.fails.contains(&(self.reads - 1)) {
            // Half of it was read: what the buffer holds is of no account.
            buffer.iter_mut().take(8).for_each(|byte| *byte = 0xff);
            return Err((self.how)(offset));
        }
        ReadOnly(self.bytes).read_at(offset, buffer)
    }
}

/// Loads the user from this source, on the first, bringing the second.
fn try_load<'r>(apps: &'r Apps, first: &App<'r>, source: impl Source) -> Result<App<'r>, Error> {
    let second = object("int two(void) { return 2; }");
    let bring: LoadNeeded<'_, '_, Arena, StdRawMutex, { crate::kit::SLOTS }> =
        // SAFETY: the sources of these tests are in these tests.
        &mut |need| unsafe { need.loader(&HOST).load(need.name(), second) };
    // SAFETY: as above.
    unsafe { apps.loader(&HOST).needs(first).on_needed(bring).load("user", source) }
}

/// All is as before, and the load that is tried again succeeds.
fn is_unharmed(apps: &Apps, first: &App<'_>, before: usize, bytes: &'static [u8]) {
    assert_eq!((live(apps), in_use(apps), noted()), (vec!["first".to_owned()], before, vec![]));
    assert_eq!((first.uses(), first.dependents().count()), (1, 0));
    let user = try_load(apps, first, ReadOnly(bytes)).unwrap();
    assert_eq!((call(&user, "probe"), user.unload().unwrap(), noted()), (7, 0, vec![1, 2]));
    assert_eq!((live(apps), in_use(apps)), (vec!["first".to_owned()], before));
}

fn once(number: usize) -> Range<usize> {
    number..number + 1
}

fn for_ever(number: usize) -> Range<usize> {
    number..usize::MAX
}

#[test]
fn a_read_that_fails_once_or_for_ever_leaves_everything_as_it_was() {
    let hows: [fn(u64) -> ReadError; 2] =
        [|_| ReadError::Failed { os: 5 }, |offset| ReadError::PastTheEnd { offset, wanted: 1, size: 0 }];
    let apps = apps();
    let first = load(&apps, "first", object("int one(void) { return 1; }")).unwrap();
    let before = in_use(&apps);
    for (bytes, how) in user().into_iter().flat_map(|bytes| hows.map(|how| (bytes, how))) {
        for fails in [once, for_ever] {
            let failed = (0..).take_while(|number| {
                let source = Fails { bytes, reads: 0, fails: fails(*number), how };
                let Err(error) = try_load(&apps, &first, source) else { return false };
                assert!(matches!(error, Error::Read { .. }), "{error}");
                is_unharmed(&apps, &first, before, bytes);
                true
            });
            assert!(failed.count() > 2, "it is read in pieces");
            noted();
        }
    }
}

#[test]
fn memory_that_refuses_once_or_for_ever_leaves_everything_as_it_was() {
    let apps = apps();
    let first = load(&apps, "first", object("int one(void) { return 1; }")).unwrap();
    let before = in_use(&apps);
    // SAFETY: the closure tells the memory what to refuse.
    let refuse = |numbers| unsafe { apps.with_memory(|memory| memory.refuse(numbers)) };
    for bytes in user() {
        for refused in [once, for_ever] {
            let failed = (0..).take_while(|number| {
                refuse(refused(*number));
                let loaded = try_load(&apps, &first, ReadOnly(bytes)).map(drop);
                refuse(0..0);
                let Err(error) = loaded else { return false };
                assert!(
                    matches!(error, Error::Memory { error: MemoryError::Refused { os: 12, .. } }),
                    "{error}"
                );
                is_unharmed(&apps, &first, before, bytes);
                true
            });
            assert!(failed.count() > 8, "two extensions are reserved, filled and sealed");
            noted();
        }
    }
}
