//! Threads that run statements: they may wait for the disk, connections may not.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

/// Some work. It does not panic: it would take its thread from all the others.
type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    is_closing: bool,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
}

/// A queue and the threads behind it. Its length is limited by what is let in before it.
pub(crate) struct Stage {
    shared: Arc<Shared>,
    threads: Mutex<Vec<std::thread::JoinHandle<()>>>,
}

impl Stage {
    /// Starts `count` threads.
    pub(crate) fn start(name: &str, count: usize) -> std::io::Result<Stage> {
        let shared = Arc::new(Shared::default());
        let mut threads = Vec::with_capacity(count);
        for number in 0..count.max(1) {
            let shared = shared.clone();
            let thread = std::thread::Builder::new().name(format!("{name}-{number}"));
            threads.push(thread.spawn(move || run(&shared))?);
        }
        Ok(Stage { shared, threads: Mutex::new(threads) })
    }

    /// Queues a job.
    pub(crate) fn run(&self, job: Job) {
        self.shared.queue.lock().jobs.push_back(job);
        self.shared.wake.notify_one();
    }

    /// Lets the threads end after what is queued, and waits for them.
    pub(crate) fn close(&self) {
        self.shared.queue.lock().is_closing = true;
        self.shared.wake.notify_all();
        for thread in self.threads.lock().drain(..) {
            if thread.join().is_err() {
                tracing::error!("a statement's thread panicked");
            }
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.close();
    }
}

fn run(shared: &Shared) {
    loop {
        let job = {
            let mut queue = shared.queue.lock();
            loop {
                if let Some(job) = queue.jobs.pop_front() {
                    break job;
                }
                if queue.is_closing {
                    return;
                }
                shared.wake.wait(&mut queue);
            }
        };
        job();
    }
}
