//! Faults that LLEXT taught, and that must be impossible here: a test for each.

use crate::kit::{App, HOST, apps, call, compiled, in_use, is_empty, live, load, load_with, noted, object};
use core::mem::MaybeUninit;
use llext::error::Name;
use llext::source::{ReadError, ReadOnly, Static};
use llext::{Error, NoopRawMutex, Pool, Registry, Source};
use std::sync::Barrier;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

const ONE: &str = "int probe(void) { return 1; }";
const TWO: &str = "int probe(void) { return 2; }";

/// A name was looked up before the lock was taken, so two loads of it both loaded.
#[test]
fn two_loads_of_one_name_never_both_load() {
    const THREADS: usize = 100;
    let (apps, barrier, bytes) = (apps(), Barrier::new(THREADS), Static(object(ONE)));
    for _ in 0..10 {
        let loads: Vec<_> = thread::scope(|scope| {
            let load = || {
                barrier.wait();
                load(&apps, "app", bytes)
            };
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(load)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let busy = Error::Busy { name: Name::new(b"app") };
        let handles: Vec<App> =
            loads.into_iter().filter_map(|load| load.map_err(|e| assert_eq!(e, busy)).ok()).collect();
        assert_eq!(handles.iter().filter(|app| app.is_first()).count(), 1);
        assert_eq!((live(&apps).len(), handles[0].uses() as usize), (1, handles.len()));
    }
    is_empty(&apps);
}

/// A pointer found by name could be freed before it was used.
#[test]
fn what_was_found_by_name_stays_until_its_finder_lets_it_go() {
    let apps = apps();
    for _ in 0..100 {
        let app = load(&apps, "app", object(ONE)).unwrap();
        thread::scope(|scope| {
            let finder = scope.spawn(|| {
                let found = apps.find("app")?;
                thread::yield_now();
                Some(call(&found, "probe"))
            });
            drop(app);
            assert!(matches!(finder.join().unwrap(), None | Some(1)));
        });
        is_empty(&apps);
    }
}

/// Names were compared on 15 characters.
#[test]
fn names_that_share_their_first_15_characters_are_two() {
    let apps = apps();
    let [one, two] = [("sensor_driver_a_1", ONE), ("sensor_driver_a_2", TWO)]
        .map(|(name, source)| load(&apps, name, object(source)).unwrap());
    assert_eq!((call(&one, "probe"), call(&two, "probe")), (1, 2));
}

/// A second load of other bytes under a known name silently gave the first.
#[test]
fn other_bytes_are_not_silently_the_first() {
    let apps = apps();
    let _one = load(&apps, "app", Static(object(ONE))).unwrap();
    let two = load(&apps, "app", Static(object(TWO)));
    assert_eq!(two.err(), Some(Error::Exists { name: Name::new(b"app") }));
}

/// A ninth dependency was silently not counted.
#[test]
fn a_ninth_dependency_is_counted() {
    let apps = apps();
    let providers: Vec<App> = (0..9).map(|n| load(&apps, &format!("p{n}"), object(ONE)).unwrap()).collect();
    let user = load_with(&apps, "user", object(TWO), &providers.iter().collect::<Vec<_>>()).unwrap();
    let refused: Vec<_> = providers.into_iter().map(|provider| provider.unload().unwrap_err()).collect();
    let by_user = Error::InUse { dependents: 1, objects: 0, calls: 0, first: Name::new(b"user") };
    assert!(refused.iter().all(|refused| refused.error == by_user));
    drop(user);
    assert!(refused.into_iter().all(|refused| refused.handle.unload().is_ok_and(|left| left == 0)));
}

/// A failed load left its dependencies counted for ever.
#[test]
fn a_failed_load_does_not_leave_its_dependencies_counted() {
    let apps = apps();
    let provider = load(&apps, "provider", object(ONE)).unwrap();
    let missing =
        object("extern int probe(void), nobody(void); int (*a)(void) = probe, (*b)(void) = nobody;");
    let says_no = object("extern int probe(void); int llext_init(void) { return probe(); }");
    let damaged = &says_no[..says_no.len() - 100];
    for bytes in [missing, says_no, damaged] {
        assert!(load_with(&apps, "user", bytes, &[&provider]).is_err());
    }
    assert_eq!(provider.unload().unwrap(), 0);
}

/// A failed load leaked section headers: eight of them used up a heap of 8 KiB.
#[test]
fn failed_loads_leave_all_of_an_8_kib_heap() {
    let mut heap = [MaybeUninit::uninit(); 8 << 10];
    let apps = Registry::<Pool<'_>, NoopRawMutex, 4>::new(Pool::unified(&mut heap));
    // SAFETY: neither file has a constructor.
    let load = |bytes: &'static [u8]| unsafe { apps.loader(&HOST).load("app", bytes) };
    // SAFETY: the closure looks at the memory only.
    let in_use = || unsafe { apps.with_memory(|pool| pool.in_use()) };
    let flags = ["-O1", "-ffunction-sections", "-fno-asynchronous-unwind-tables"];
    let functions: String = (0..10).map(|n| format!("int f{n}(void) {{ return {n}; }}")).collect();
    let good = compiled(&functions, &flags);
    let bad =
        compiled(&format!("{functions} extern int nobody(void); int f(void) {{ return nobody(); }}"), &flags);
    for _ in 0..100 {
        assert!(load(bad).is_err());
        assert_eq!(in_use(), 0);
    }
    let app = load(good).unwrap();
    assert_eq!(app.exports().count(), 10);
    drop(app);
    assert_eq!(in_use(), 0);
}

/// Files without exports were refused for where nothing lay: at an odd address, where a pool had no part for it.
#[test]
fn an_extension_without_anything_loads_from_a_pool() {
    let (mut code, mut data) = ([MaybeUninit::uninit(); 4 << 10], [MaybeUninit::uninit(); 4 << 10]);
    let apps = Registry::<_, NoopRawMutex, 4>::new(Pool::new(&mut code, &mut data));
    // SAFETY: there is nothing in it.
    let empty = unsafe { apps.loader(&HOST).load("empty", compiled("", &["-O1"])) }.unwrap();
    assert_eq!(empty.exports().count(), 0);
    assert_eq!(empty.unload().unwrap(), 0);
}

/// A source that says when it is read, and goes on when it is told.
struct Slow(&'static [u8], Sender<()>, Receiver<()>);

impl Source for Slow {
    fn size(&mut self) -> Result<u64, ReadError> {
        Ok(self.0.len() as u64)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        // The test's ends of both channels are dropped when it need not be told any more.
        let _ = self.1.send(());
        let _ = self.2.recv();
        ReadOnly(self.0).read_at(offset, buffer)
    }
}

/// One lock was held while files were read and linked.
#[test]
fn no_lock_is_held_while_a_file_is_read() {
    let apps = apps();
    let ((reads, is_read), (go_on, may_go_on)) = (channel(), channel());
    thread::scope(|scope| {
        let slow = scope.spawn(|| {
            load(&apps, "slow", Slow(object(ONE), reads, may_go_on)).map(|app| call(&app, "probe"))
        });
        for _ in 0..5 {
            is_read.recv().unwrap();
            let other = load(&apps, "other", object(TWO)).unwrap();
            assert_eq!((call(&apps.find("other").unwrap(), "probe"), apps.iter().count()), (2, 1));
            other.unload().unwrap();
            go_on.send(()).unwrap();
        }
        drop((is_read, go_on));
        assert_eq!(slow.join().unwrap(), Ok(1));
    });
    is_empty(&apps);
}

/// Symbols and strings, needed only to load, stayed for life.
#[test]
fn what_is_needed_only_to_load_does_not_stay() {
    let functions: String = (0..200).map(|n| format!("int a_function_{n}(void) {{ return {n}; }}")).collect();
    let (apps, bytes) = (apps(), object(&functions));
    let footprint = apps.loader(&HOST).verify("app", ReadOnly(bytes)).unwrap();
    let app = load(&apps, "app", ReadOnly(bytes)).unwrap();
    let stays: u32 = footprint.parts.iter().sum();
    assert_eq!((in_use(&apps), app.exports().count()), (stays as usize, 200));
    assert!(footprint.scratch > 200 * 24, "the symbols were there: {} bytes", footprint.scratch);
}

/// Destructors ran forwards, and prioritised constructors did not load.
#[test]
fn destructors_run_backwards_also_by_priority() {
    let functions: String = (1..=3)
        .map(|n| {
            format!(
                "__attribute__((constructor(10{n}))) static void up{n}(void) {{ note({n}); }}
                 __attribute__((destructor(10{n}))) static void down{n}(void) {{ note(-{n}); }}"
            )
        })
        .collect();
    drop(load(&apps(), "app", object(&functions)).unwrap());
    assert_eq!(noted(), [1, 2, 3, -3, -2, -1]);
}
