//! One name wanted by many at once: one loads it, the others wait, or are told that it is busy.

use crate::arena::Arena;
use crate::kit::{App, HOST, Int, SLOTS, acting, apps, call, init_failed, is_empty, load, object};
use llext::error::Name;
use llext::lock::StdRawMutex;
use llext::source::Static;
use llext::{Error, Loader};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

const THREADS: usize = 100;
const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(30);

const APP: &str = "extern void came(void), went(void); int probe(void) { return 42; }
    __attribute__((constructor)) static void up(void) { came(); }
    __attribute__((destructor)) static void down(void) { went(); }";

/// A host that counts constructors and destructors: one for each test, as tests run side by side.
macro_rules! counting {
    ($name:ident) => {
        mod $name {
            use std::sync::atomic::{AtomicU32, Ordering};
            pub(super) static COME: AtomicU32 = AtomicU32::new(0);
            pub(super) static GONE: AtomicU32 = AtomicU32::new(0);
            extern "C" fn came() {
                COME.fetch_add(1, Ordering::SeqCst);
            }
            extern "C" fn went() {
                GONE.fetch_add(1, Ordering::SeqCst);
            }
            llext::exports! { pub(super) static HOST; fn came(); fn went(); }
        }
    };
}
counting!(same);
counting!(fresh);

fn count(of: &AtomicU32) -> u32 {
    of.load(Ordering::SeqCst)
}

type Load<'r, 'l> = Loader<'r, 'l, Arena, StdRawMutex, SLOTS>;

fn begin<'r>(loader: Load<'r, '_>, bytes: &'static [u8]) -> Result<App<'r>, Error> {
    // SAFETY: the sources of these tests are in these tests.
    unsafe { loader.load("app", Static(bytes)) }
}

#[test]
fn a_hundred_threads_that_wait_get_one_extension() {
    let (apps, bytes, barrier) = (apps(), object(APP), Barrier::new(THREADS));
    for round in 1..=10 {
        let firsts: usize = thread::scope(|scope| {
            let load = || {
                barrier.wait();
                let app = begin(apps.loader(&same::HOST).wait(LONG), bytes).unwrap();
                barrier.wait();
                assert_eq!((app.uses(), call(&app, "probe")), (THREADS as u32, 42));
                barrier.wait();
                usize::from(app.is_first())
            };
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(load)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!((firsts, count(&same::COME), count(&same::GONE)), (1, round, round));
        is_empty(&apps);
    }
}

#[test]
fn threads_that_come_and_go_meet_one_generation_after_the_other() {
    let (apps, bytes, barrier) = (apps(), object(APP), Barrier::new(THREADS));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                barrier.wait();
                for _ in 0..20 {
                    let app = begin(apps.loader(&fresh::HOST).wait(LONG), bytes).unwrap();
                    assert_eq!(call(&app, "probe"), 42);
                    // No other one comes or goes while this one is held.
                    assert_eq!(count(&fresh::COME) - count(&fresh::GONE), 1);
                }
            });
        }
    });
    assert_eq!(count(&fresh::COME), count(&fresh::GONE));
    is_empty(&apps);
}

/// An extension whose constructor, or destructor, waits in a thread until it is told to go on.
fn stuck(when: &str, meanwhile: impl FnOnce(&crate::kit::Apps, &'static [u8], &dyn Fn())) {
    let bytes = object(&format!(
        "__attribute__(({when})) static void f(void) {{ act(1); }} int probe(void) {{ return 42; }}"
    ));
    let (apps, (entered, has_entered), (leave, may_leave)) = (apps(), mpsc::channel(), mpsc::channel());
    thread::scope(|scope| {
        scope.spawn(|| {
            let acts = move |_| {
                entered.send(()).unwrap();
                may_leave.recv().unwrap();
                0
            };
            acting(&acts, || drop(begin(apps.loader(&HOST), bytes).unwrap()));
        });
        has_entered.recv().unwrap();
        meanwhile(&apps, bytes, &|| leave.send(()).unwrap());
    });
    is_empty(&apps);
}

#[test]
fn a_name_whose_constructors_run_is_busy_for_those_who_do_not_wait_long_enough() {
    stuck("constructor", |apps, bytes, go_on| {
        let busy = Some(Error::Busy { name: Name::new(b"app") });
        assert_eq!(load(apps, "app", Static(bytes)).err(), busy);
        let start = Instant::now();
        assert_eq!(begin(apps.loader(&HOST).wait(SHORT), bytes).err(), busy);
        assert!(start.elapsed() >= SHORT);
        assert!(apps.find("app").is_none());
        go_on();
    });
}

#[test]
fn a_name_whose_destructors_run_is_loaded_anew_by_those_who_wait() {
    stuck("destructor", |apps, bytes, go_on| {
        let busy = Some(Error::Busy { name: Name::new(b"app") });
        assert_eq!(load(apps, "app", Static(bytes)).err(), busy);
        let start = Instant::now();
        thread::scope(|scope| {
            let waits = scope.spawn(|| {
                let app = begin(apps.loader(&HOST).wait(LONG), bytes).unwrap();
                (app.is_first(), call(&app, "probe"))
            });
            thread::sleep(SHORT);
            go_on();
            assert_eq!(waits.join().unwrap(), (true, 42));
        });
        assert!(start.elapsed() < LONG, "it was woken");
    });
}

#[test]
fn a_load_that_fails_lets_those_who_wait_try_themselves() {
    let (apps, bytes) =
        (apps(), object("int llext_init(void) { return act(1); } int probe(void) { return 42; }"));
    let (entered, has_entered) = mpsc::channel();
    thread::scope(|scope| {
        let fails = scope.spawn(|| {
            let acts = move |_| {
                entered.send(()).unwrap();
                thread::sleep(SHORT);
                5
            };
            acting(&acts, || begin(apps.loader(&HOST), bytes).map(drop))
        });
        has_entered.recv().unwrap();
        let app = begin(apps.loader(&HOST).wait(LONG), bytes).unwrap();
        assert_eq!(fails.join().unwrap(), Err(init_failed("app", 5)));
        // SAFETY: `probe` has this type.
        assert_eq!((app.is_first(), unsafe { app.symbol::<Int>("probe") }.unwrap().call(())), (true, 42));
    });
    is_empty(&apps);
}

#[test]
fn a_slow_load_of_one_name_does_not_hold_up_another() {
    stuck("constructor", |apps, _, go_on| {
        // The first is in its constructor all the while.
        for n in 0..20 {
            let other = load(apps, "other", object("int probe(void) { return 7; }")).unwrap();
            assert_eq!((call(&other, "probe"), apps.iter().count()), (7, 1), "{n}");
        }
        go_on();
    });
}
