//! Operations on a registry of a few small extensions, two bytes each: what is done, and to which. Whatever the order,
//! who is held can be called, who refuses or is refused leaves nothing, and in the end all that came has gone.

use std::cell::RefCell;
use std::task::Poll;

use llext::memory::Linux;
use llext::registry::{Guard, Object, Weak};
use llext::source::Static;
use llext::{Error, Handle, Load, NoopRawMutex, Refused, Registry};

/// What the extensions are of: `extension.c`, compiled with each of these as its `KIND`.
pub(crate) const KINDS: usize = 3;

/// The compiled extensions.
pub(crate) type Files = [&'static [u8]; KINDS];

const SLOTS: usize = 4;
const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
type Int = extern "C" fn() -> i32;
type Apps = Registry<Linux, NoopRawMutex, SLOTS>;

thread_local! {
    /// How often each kind came, and went.
    static SEEN: RefCell<[[usize; 2]; KINDS]> = const { RefCell::new([[0; 2]; KINDS]) };
}

extern "C" fn came(kind: i32) {
    SEEN.with_borrow_mut(|seen| seen[kind as usize][0] += 1);
}

extern "C" fn went(kind: i32) {
    SEEN.with_borrow_mut(|seen| seen[kind as usize][1] += 1);
}

llext::exports! { static HOST; fn came(kind: i32); fn went(kind: i32); }

fn revoke(_: usize) {}

/// What is held at a time.
struct Held<'r> {
    apps: &'r Apps,
    files: Files,
    handles: Vec<Handle<'r, Linux, NoopRawMutex, SLOTS>>,
    weak: Vec<Weak<'r, Linux, NoopRawMutex, SLOTS>>,
    guards: Vec<Guard<'r, Linux, NoopRawMutex, SLOTS>>,
    objects: Vec<Object<'r, Linux, NoopRawMutex, SLOTS>>,
    load: Option<Load<'r, 'r, Linux, NoopRawMutex, SLOTS, Static>>,
}

pub(crate) fn run(operations: &[u8], files: Files) {
    SEEN.set([[0; 2]; KINDS]);
    let apps = Apps::new(Linux::new());
    let (handles, weak, guards, objects, load) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), None);
    let mut held = Held { apps: &apps, files, handles, weak, guards, objects, load };
    for operation in operations.chunks_exact(2).take(256) {
        match held.operation(operation[0], usize::from(operation[1])) {
            Ok(()) => {}
            Err(
                Error::Busy { .. }
                | Error::Died
                | Error::Exists { .. }
                | Error::RegistryFull { .. }
                | Error::InitFailed { .. }
                | Error::InUse { .. },
            ) => {}
            Err(Error::Link(llext_link::Error::UndefinedSymbols { .. })) => {}
            Err(error) => panic!("{operation:?}: {error}"),
        }
        held.can_be_called();
    }
    drop(held);
    apps.reap();
    assert_eq!(apps.iter().count(), 0);
    SEEN.with_borrow(|seen| seen.iter().for_each(|[came, went]| assert_eq!(came, went)));
}

impl<'r> Held<'r> {
    fn operation(&mut self, what: u8, which: usize) -> Result<(), Error> {
        match what % 16 {
            0 | 1 => self.load(which, u32::MAX)?,
            2 => self.load(which, 1 + which as u32)?,
            3 => self.step(1 + which as u32)?,
            4 => self.load = None,
            5 => self.handles.extend(self.apps.find(NAMES[which % NAMES.len()])),
            6 => self.handles.extend(pick(&self.handles, which).map(Handle::try_clone).transpose()?),
            7 => self.weak.extend(pick(&self.handles, which).map(Handle::downgrade)),
            8 => self.guards.extend(pick(&self.weak, which).map(Weak::enter).transpose()?),
            9 => self.guards.extend(pick(&self.weak, which).map(Weak::try_enter).transpose()?),
            10 => self.handles.extend(pick(&self.weak, which).map(Weak::upgrade).transpose()?),
            11 => self.own(which)?,
            12 => drop((take(&mut self.guards, which), take(&mut self.objects, which / 2))),
            13 => drop(take(&mut self.handles, which)),
            14 => drop(self.apps.reap()),
            _ => return self.unload(which),
        }
        Ok(())
    }

    /// Loads one, or begins to; kind 1 may use another that is held, or all that are live.
    fn load(&mut self, which: usize, budget: u32) -> Result<(), Error> {
        let (name, kind) = (NAMES[which % NAMES.len()], which / 8 % KINDS);
        let loader = self.apps.loader(&HOST).search_live(which & 0x80 != 0);
        let provider = pick(&self.handles, which).filter(|_| which & 0x40 != 0);
        let loader = provider.into_iter().fold(loader, |loader, provider| loader.needs(provider));
        // SAFETY: the extension is `extension.c`.
        self.load = Some(unsafe { loader.start(name, Static(self.files[kind]))? });
        self.step(budget)
    }

    fn step(&mut self, budget: u32) -> Result<(), Error> {
        if let Some(Poll::Ready(ended)) = self.load.as_mut().map(|load| load.step(budget)) {
            self.load = None;
            self.handles.push(ended?);
        }
        Ok(())
    }

    fn own(&mut self, which: usize) -> Result<(), Error> {
        let Some(weak) = pick(&self.weak, which) else { return Ok(()) };
        let object =
            if which & 1 == 0 { weak.own("thread")? } else { weak.own_revocable("timer", revoke, 0)? };
        self.objects.push(object);
        Ok(())
    }

    fn unload(&mut self, which: usize) -> Result<(), Error> {
        let Some(handle) = take(&mut self.handles, which) else { return Ok(()) };
        if which & 1 == 0 {
            handle.unload_later();
            return Ok(());
        }
        handle.unload().map(drop).map_err(|Refused { handle, error }| {
            self.handles.push(handle);
            error
        })
    }

    /// What is held is up, and is one of these.
    fn can_be_called(&self) {
        for handle in &self.handles {
            // SAFETY: `probe` has this type.
            let number = unsafe { handle.symbol::<Int>("probe") }.expect("each exports it").call(());
            assert!(number == 0 || number == 1, "{handle:?} says {number}");
        }
        for guard in &self.guards {
            // SAFETY: as above.
            let number = unsafe { guard.symbol::<Int>("probe") }.expect("each exports it").call(());
            assert!(number == 0 || number == 1, "{guard:?} says {number}");
        }
    }
}

fn pick<T>(from: &[T], which: usize) -> Option<&T> {
    from.get(which % from.len().max(1))
}

fn take<T>(from: &mut Vec<T>, which: usize) -> Option<T> {
    let at = which % from.len().max(1);
    (at < from.len()).then(|| from.swap_remove(at))
}
