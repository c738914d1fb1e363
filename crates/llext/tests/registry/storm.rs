//! Everything at once: a hundred threads, ten thousand operations each, and afterwards it is as it was before.

use crate::arena::Arena;
use crate::kit::{App, Apps, Int, SLOTS, apps, call, is_empty, live, object};
use llext::lock::StdRawMutex;
use llext::registry::{Guard, Object, Weak};
use llext::source::Static;
use llext::{Error, Refused};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

const THREADS: u64 = 100;
/// Of each thread. Unoptimised, with a debugger's symbols and every check, a tenth of them takes as long.
const OPERATIONS: usize = if cfg!(debug_assertions) { 1_000 } else { 10_000 };
/// How many extensions there are; and as many that may each depend on the one of the same number.
const KINDS: usize = 8;

static COME: AtomicU32 = AtomicU32::new(0);
static GONE: AtomicU32 = AtomicU32::new(0);
static TIED: AtomicU32 = AtomicU32::new(0);
static UNTIED: AtomicU32 = AtomicU32::new(0);

extern "C" fn came() {
    COME.fetch_add(1, SeqCst);
}

extern "C" fn went() {
    GONE.fetch_add(1, SeqCst);
}

llext::exports! { static COUNTS; fn came(); fn went(); }

/// Which of the objects were revoked, by their numbers.
static REVOKED: [AtomicBool; 1 << 17] = [const { AtomicBool::new(false) }; 1 << 17];
static OBJECTS: AtomicUsize = AtomicUsize::new(0);

fn revoke(number: usize) {
    REVOKED[number].store(true, SeqCst);
    UNTIED.fetch_add(1, SeqCst);
}

/// Its `probe` tells its number while it is up; that of a dependent, the number of its provider.
fn file(kind: usize) -> &'static [u8] {
    let (externs, number) = match kind.checked_sub(KINDS) {
        Some(provider) => (format!("extern int probe{provider}(void);"), format!("probe{provider}()")),
        None => (String::new(), kind.to_string()),
    };
    object(&format!(
        "{externs} extern void came(void), went(void); static int up = 0;
         __attribute__((constructor)) static void comes(void) {{ up++; came(); }}
         __attribute__((destructor)) static void goes(void) {{ up = 100; went(); }}
         int probe{kind}(void) {{ return up == 1 ? {number} : -1; }}
         int probe(void) {{ return probe{kind}(); }}"
    ))
}

/// What a thread holds at a time.
struct Storm<'r> {
    apps: &'r Apps,
    random: u64,
    files: &'r [&'static [u8]],
    names: &'r [String],
    handles: Vec<App<'r>>,
    weak: Option<Weak<'r, Arena, StdRawMutex, SLOTS>>,
    guards: Vec<Guard<'r, Arena, StdRawMutex, SLOTS>>,
    objects: Vec<Object<'r, Arena, StdRawMutex, SLOTS>>,
}

impl<'r> Storm<'r> {
    /// Xorshift, <https://www.jstatsoft.org/article/view/v008i14>.
    fn random(&mut self, below: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 16) as usize % below
    }

    fn take(&mut self) -> Option<App<'r>> {
        let at = self.random(self.handles.len().max(1));
        (at < self.handles.len()).then(|| self.handles.swap_remove(at))
    }

    /// Loads one, or finds it live; a dependent after its provider.
    fn load(&mut self) -> Result<(), Error> {
        let kind = self.random(2 * KINDS);
        let patience = Duration::from_millis(self.random(2) as u64);
        let begin = |kind: usize, provider: Option<&App<'r>>| {
            let loader =
                provider.into_iter().fold(self.apps.loader(&COUNTS), |loader, app| loader.needs(app));
            // SAFETY: the sources of these tests are in these tests.
            unsafe { loader.wait(patience).load(&self.names[kind], Static(self.files[kind])) }
        };
        let provider = kind.checked_sub(KINDS).map(|provider| begin(provider, None)).transpose()?;
        let app = begin(kind, provider.as_ref())?;
        self.handles.push(app);
        Ok(())
    }

    /// To what it holds, or to what may be gone.
    fn refer(&mut self) -> Option<Weak<'r, Arena, StdRawMutex, SLOTS>> {
        let held = self.handles.last().map(App::downgrade);
        if self.random(4) == 0 { self.weak } else { held.or(self.weak) }
    }

    /// Enters as a call or an interrupt does, and calls.
    fn enter(&mut self) -> Result<(), Error> {
        let Some(weak) = self.refer() else { return Ok(()) };
        let guard = if self.random(4) == 0 { weak.try_enter()? } else { weak.enter()? };
        // SAFETY: `probe` has this type.
        let number = unsafe { guard.symbol::<Int>("probe") }?.call(());
        assert!((0..KINDS as i32).contains(&number), "{guard:?} says {number}");
        if self.random(2) == 0 {
            self.guards.push(guard);
        }
        Ok(())
    }

    fn own(&mut self) -> Result<(), Error> {
        let Some(weak) = self.refer() else { return Ok(()) };
        if self.random(2) == 0 {
            self.objects.push(weak.own("thread")?);
        } else {
            let number = OBJECTS.fetch_add(1, SeqCst);
            let timer = weak.own_revocable("timer", revoke, number);
            // What is tied to an extension that everybody leaves meanwhile is revoked with it, and the extension gone.
            TIED.fetch_add(u32::from(timer.is_ok() || REVOKED[number].load(SeqCst)), SeqCst);
            let timer = timer?;
            if self.random(2) == 0 {
                UNTIED.fetch_add(u32::from(timer.release()), SeqCst);
            } else {
                // It is revoked with the extension: the host keeps it nowhere else.
                core::mem::forget(timer);
            }
        }
        Ok(())
    }

    fn visit(&mut self) {
        for app in self.apps.iter() {
            let number = call(&app, "probe");
            assert!((0..KINDS as i32).contains(&number), "{app:?} says {number}");
        }
    }

    fn unload(&mut self) {
        let Some(app) = self.take() else { return };
        let left = match self.random(4) {
            0 => Ok(app.unload_later()),
            1 => app.unload_within(Duration::from_micros(50)),
            _ => app.unload(),
        };
        if let Err(Refused { handle, error }) = left {
            assert!(matches!(error, Error::InUse { .. }), "{error}");
            self.handles.push(handle);
        }
    }

    fn operation(&mut self) -> Result<(), Error> {
        match self.random(16) {
            0 | 1 => self.load()?,
            2 | 3 => {
                let kind = self.random(2 * KINDS);
                self.handles.extend(self.apps.find(&self.names[kind]));
            }
            4 => self.handles.extend(self.handles.first().map(App::try_clone).transpose()?),
            5 | 6 => assert!(self.handles.iter().all(|app| (0..KINDS as i32).contains(&call(app, "probe")))),
            7 => self.weak = self.handles.last().map(App::downgrade).or(self.weak),
            8 | 9 => self.enter()?,
            10 => self.own()?,
            11 => self.visit(),
            12 => drop(self.apps.reap()),
            13 => drop((self.guards.pop(), self.objects.pop())),
            _ => self.unload(),
        }
        Ok(())
    }

    /// Lets go of all it holds: else something of a hundred threads' would always keep every extension.
    fn rest(&mut self) {
        self.handles.clear();
        self.guards.clear();
        self.objects.clear();
        thread::yield_now();
    }

    /// How many operations were done. Whoever is refused is refused for one of these reasons.
    fn run(&mut self) -> usize {
        let mut done = 0;
        for number in 0..OPERATIONS {
            match self.operation() {
                Ok(()) => done += 1,
                Err(Error::Busy { .. } | Error::Died | Error::TooManyUses) => {}
                Err(error) => panic!("{error}"),
            }
            if number % 8 == 0 {
                self.rest();
            }
        }
        self.rest();
        done
    }
}

#[test]
fn a_hundred_threads_of_mixed_operations_leave_nothing() {
    let apps = apps();
    let files: Vec<_> = (0..2 * KINDS).map(file).collect();
    let names: Vec<_> = (0..2 * KINDS).map(|kind| format!("app{kind}")).collect();
    let run = |seed: u64| {
        let (random, apps) = (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), &apps);
        let (files, names) = (&files[..], &names[..]);
        let (handles, weak, guards, objects) = (Vec::new(), None, Vec::new(), Vec::new());
        Storm { apps, random, files, names, handles, weak, guards, objects }.run()
    };
    let done: usize = thread::scope(|scope| {
        let threads: Vec<_> = (1..=THREADS).map(|seed| scope.spawn(move || run(seed))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    apps.reap();
    assert_eq!(live(&apps).len(), 0);
    is_empty(&apps);
    assert_eq!((COME.load(SeqCst), TIED.load(SeqCst)), (GONE.load(SeqCst), UNTIED.load(SeqCst)));
    // How many depends on the machine: on many cores there is always somebody who keeps an extension.
    assert!(done > OPERATIONS * THREADS as usize / 4, "most were done: {done}");
    let seen = [&COME, &TIED].map(|count| count.load(SeqCst));
    assert!(seen.iter().all(|count| u64::from(*count) > THREADS), "come and tied: {seen:?}");
}
