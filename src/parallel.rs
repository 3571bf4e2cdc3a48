//! Several pieces of work at once, on scoped threads. Knows nothing of what is done.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// Does `work` on every item, on at most `workers` threads, and gives the results in the order of the items.
/// After a failure no new work is begun; of several failures the one of the first item is given.
pub(crate) fn each<'t, T: Sync, R: Send, E: Send>(
    items: &'t [T],
    workers: usize,
    work: impl Fn(&'t T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    if workers.min(items.len()) <= 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    let worker = || {
        while !failed.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return };
            let result = work(item);
            failed.fetch_or(result.is_err(), Ordering::Relaxed);
            done.lock().expect("no worker panics while it holds the lock").push((at, result));
        }
    };
    thread::scope(|scope| {
        for _ in 0..workers.min(items.len()) {
            scope.spawn(worker);
        }
    });
    let mut done = done.into_inner().expect("all workers are gone");
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// How many threads the processor is worth.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, |n| n.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<u32> = (0..100).collect();
        assert_eq!(
            each(&items, 4, |n| Ok::<_, ()>(n * 2)).unwrap(),
            items.iter().map(|n| n * 2).collect::<Vec<_>>()
        );
        assert_eq!(each(&[] as &[u32], 4, |n| Ok::<_, ()>(*n)), Ok(vec![]));
    }

    #[test]
    fn a_failure_stops_new_work() {
        let begun = AtomicUsize::new(0);
        let items: Vec<usize> = (0..10_000).collect();
        let result = each(&items, 4, |&n| {
            begun.fetch_add(1, Ordering::Relaxed);
            thread::yield_now();
            if n == 3 { Err(n) } else { Ok(()) }
        });
        assert_eq!(result, Err(3));
        assert!(begun.into_inner() < items.len());
    }
}
