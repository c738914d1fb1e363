//! A load whose file an asynchronous driver reads: others run meanwhile, and nobody waits in a loop.

use crate::common::{compile, probe};
use llext::host::CAPACITY;
use llext::lock::StdRawMutex;
use llext::memory::Linux;
use llext::source::{Awaited, ReadError};
use llext::{Error, Host, Load};
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

extern "C" fn host_add(a: i32, b: i32) -> i32 {
    a + b
}

llext::exports! { static HOST; fn host_add(a: i32, b: i32) -> i32; }

const PROBE: &str = "extern int host_add(int, int); static int n = 40;
    static int (*const add)(int, int) = host_add;
    int probe(void) { return add(n, 2); }";

fn host() -> Host {
    Host::without_libc(&HOST).unwrap()
}

type Begun<'h, 'l> = Load<'h, 'l, Linux, StdRawMutex, CAPACITY, Awaited<'l>>;

/// Begins to load what [`compile`] made.
fn start<'h: 'l, 'l>(host: &'h Host, name: &'l str, source: Awaited<'l>) -> Begun<'h, 'l> {
    // SAFETY: the source is above.
    unsafe { host.loader().start(name, source) }.unwrap()
}

/// Says whether a future asked to be polled again.
#[derive(Default)]
struct Asked(AtomicBool);

impl Wake for Asked {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A medium that answers when the test says so.
#[derive(Default)]
struct Disk {
    /// Where the pieces began that it gave.
    given: Vec<u64>,
    fails: bool,
}

impl Disk {
    /// Fills `piece`, once `answers` says that it is time; it wakes nobody.
    async fn read(
        &mut self,
        file: &[u8],
        offset: u64,
        piece: &mut [u8],
        waiting: &Cell<bool>,
    ) -> Result<(), ReadError> {
        waiting.set(true);
        poll_fn(|_| if waiting.get() { Poll::Pending } else { Poll::Ready(()) }).await;
        if self.fails {
            return Err(ReadError::Failed { os: 5 });
        }
        piece.copy_from_slice(&file[offset as usize..][..piece.len()]);
        self.given.push(offset);
        Ok(())
    }
}

/// Polls to the end, and tells how often; the disk answers whenever nobody asks for anything.
fn run<F: Future>(future: F, waiting: &Cell<bool>) -> (F::Output, u32) {
    let asked = Arc::new(Asked::default());
    let waker = Waker::from(asked.clone());
    let mut future = pin!(future);
    for polls in 1.. {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return (output, polls);
        }
        let again = asked.0.swap(false, Ordering::Relaxed);
        assert_ne!(again, waiting.get(), "it waits for the disk or for its turn, never for both");
        waiting.set(false);
    }
    unreachable!("there are enough numbers")
}

#[test]
fn a_file_that_is_waited_for_runs_in_every_kind() {
    let host = host();
    for (kind, flags) in [("o", &["-O2"][..]), ("so", &["-O2", "-shared", "-nostdlib"])] {
        let file = compile(&format!("awaited_{kind}"), PROBE, flags);
        for (len, budget) in [(1, 1), (7, 1), (64, 3), (512, 64), (1 << 20, u32::MAX), (512, 0)] {
            let (mut buffer, waiting, mut disk) = (vec![0; len], Cell::new(false), Disk::default());
            let mut load = start(&host, "awaited", Awaited::new(file.len() as u64, &mut buffer));
            let read = async |offset, piece: &mut [u8]| disk.read(&file, offset, piece, &waiting).await;
            let (plugin, polls) = run(load.complete(budget, read), &waiting);
            assert_eq!(probe(&plugin.unwrap()), 42, "{kind}, pieces of {len}, steps of {budget}");
            assert!(disk.given.iter().all(|at| at % len as u64 == 0));
            assert!(polls as usize > disk.given.len(), "{polls} polls, {} pieces", disk.given.len());
        }
    }
}

#[test]
fn a_load_that_is_not_waited_for_any_more_goes_on_later() {
    let (host, file) = (host(), compile("awaited_later", PROBE, &["-O2"]));
    let (mut buffer, waiting, mut disk) = ([0; 64], Cell::new(false), Disk::default());
    let mut load = start(&host, "later", Awaited::new(file.len() as u64, &mut buffer));
    for turns in 0..6 {
        let read = async |offset, piece: &mut [u8]| disk.read(&file, offset, piece, &waiting).await;
        let mut future = pin!(load.complete(1, read));
        for _ in 0..turns {
            waiting.set(false);
            assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
    }
    let read = async |offset, piece: &mut [u8]| disk.read(&file, offset, piece, &waiting).await;
    let plugin = run(load.complete(64, read), &waiting).0;
    assert_eq!(probe(&plugin.unwrap()), 42);
}

#[test]
fn a_medium_that_fails_leaves_nothing() {
    let (host, file) = (host(), compile("awaited_fails", PROBE, &["-O2"]));
    let (mut buffer, waiting) = ([0; 64], Cell::new(false));
    let mut disk = Disk { fails: true, ..Disk::default() };
    let mut load = start(&host, "fails", Awaited::new(file.len() as u64, &mut buffer));
    let read = async |offset, piece: &mut [u8]| disk.read(&file, offset, piece, &waiting).await;
    let failed = run(load.complete(64, read), &waiting).0.unwrap_err();
    assert_eq!(failed, Error::Read { error: ReadError::Failed { os: 5 } });
    assert!(matches!(load.step(1), Poll::Ready(Err(Error::LoadEnded))));
    drop(load);
    assert!(crate::common::load(&host, "fails", &file[..]).is_ok());
}
