//! Any mix of operations: for shuttle alone, whose chance also chooses what a thread does next.

use super::checker::{check, thread};
use super::loading::load;
use super::world::{A, AppHandle, AppWeak, Apps, B, C, call};
use core::time::Duration;
use shuttle::rand::{Rng, thread_rng};

/// What a thread has at hand.
struct Thread {
    apps: &'static Apps,
    handle: Option<AppHandle>,
    weak: Option<AppWeak>,
}

impl Thread {
    /// Loads, well or not, and keeps the handle; what it had is unloaded.
    fn load(&mut self) {
        let [which, needed] = [(); 2].map(|()| [A, B, C][thread_rng().gen_range(0..3)]);
        let load = match thread_rng().gen_range(0..5) {
            0 => load(which).failing(),
            1 => load(which).abandoned(),
            2 => load(which).other_file(),
            3 => load(which).needing(needed),
            _ => load(which),
        };
        if let Ok(handle) = load.run(self.apps) {
            call(&handle);
            self.weak = Some(handle.downgrade());
            self.handle = Some(handle);
        }
    }

    /// Kills: in one of four ways, while others load, call and kill.
    fn unload(&mut self) {
        let Some(handle) = self.handle.take() else { return };
        let unloaded = match thread_rng().gen_range(0..4) {
            0 => handle.unload(),
            1 => handle.unload_within(Duration::ZERO),
            2 => Ok(handle.unload_later()),
            _ => {
                drop(handle);
                Ok(0)
            }
        };
        self.handle = unloaded.err().map(|refused| refused.handle);
        self.handle.iter().for_each(|handle| _ = call(handle));
    }

    fn enter(&self) {
        let Some(weak) = self.weak else { return };
        let guard = if thread_rng().r#gen() { weak.enter() } else { weak.try_enter() };
        guard.iter().for_each(|guard| _ = call(guard));
    }

    fn tie(&self) {
        let Some(weak) = self.weak else { return };
        let object =
            if thread_rng().r#gen() { weak.own("timer") } else { weak.own_revocable("timer", |_| {}, 0) };
        if let Ok(object) = object {
            self.enter();
            object.release();
        }
    }

    fn visit(&self) {
        self.apps.iter().for_each(|handle| _ = call(&handle));
        self.apps.find("b").iter().for_each(|handle| _ = call(handle));
    }

    fn act(&mut self) {
        match thread_rng().gen_range(0..7) {
            0 | 1 => self.load(),
            2 => self.unload(),
            3 => self.enter(),
            4 => self.tie(),
            5 => self.visit(),
            _ => _ = self.apps.reap(),
        }
    }
}

/// C3, C4, C10, C12, C15: whatever four threads do, nothing is used after its end, and nothing is left.
#[test]
fn any_mix_of_operations_leaves_nothing() {
    check(|apps| {
        let threads = [(); 4].map(|()| {
            thread::spawn(move || {
                let mut thread = Thread { apps, handle: None, weak: None };
                (0..6).for_each(|_| thread.act());
            })
        });
        for thread in threads {
            thread.join().expect("nothing panics");
        }
        // What was let go last where that may not end an extension is taken away by the main loop.
        while apps.reap() > 0 {}
    });
}
