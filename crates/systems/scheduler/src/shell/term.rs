//! What happens between two terms: taking over, being deposed, standing by.

use std::collections::HashMap;

use super::{Batch, Role, RunName, Shell, instant, reparse};
use crate::core::{Core, Effect, Event, Outcome, Refusal, RunKey};
use crate::executor::Report;
use crate::leadership::Term;
use crate::store::StoreError;

impl Shell {
    /// Goes on where the scheduler before stopped.
    pub(super) async fn lead(&mut self, term: Term, batch: &mut Batch) -> Result<(), StoreError> {
        self.store.lead(term.fencing);
        let restored = self.store.restore(reparse).await?;
        restored.dags.iter().for_each(|row| self.directory.set_row(row.clone()));
        let runs = restored.runs.iter().map(|snapshot| {
            let run = &snapshot.run;
            (run.key, (run.dag_id.clone(), run.run_id.clone()))
        });
        let runs: HashMap<RunKey, RunName> = runs.collect();
        let now = instant(&self.world);
        let (core, effects) = Core::restore(self.limits, restored, now);
        (self.core, self.role) = (core, Role::Leading);
        if self.leaders.is_some() {
            tracing::info!(term = term.fencing, "this scheduler leads");
        }
        self.tell_lost(&effects, &runs);
        batch.effects.extend(effects);
        self.finish(batch).await?;
        for known in self.directory.all() {
            self.loaded(known.dag, now, batch).await?;
        }
        Ok(())
    }

    /// Stops what runs: somebody else may begin it again. Reports of it no longer count.
    pub(super) async fn leave(&mut self, batch: &mut Batch) {
        if self.role != Role::Leading {
            return;
        }
        tracing::warn!("this scheduler no longer leads: what it runs is stopped");
        self.role = Role::Leaving;
        let now = instant(&self.world);
        for effect in self.core.step(now, Event::Drain) {
            if let Effect::Stop { attempt, reason } = effect {
                self.executor.stop(attempt, reason);
            }
        }
        // What was decided last is not on disk, and has not happened.
        for effect in std::mem::take(&mut batch.effects) {
            if let Effect::Start(start) = effect {
                let outcome = Outcome::Interrupted { value: None };
                let _ = self.core.step(now, Event::Finished { attempt: start.attempt, outcome });
            }
        }
        self.stand_by_if_idle().await;
    }

    /// The database says that another scheduler leads: nothing of the batch is written.
    pub(super) async fn deposed(&mut self, batch: &mut Batch) {
        self.leave(batch).await;
        let refusal = self.standby().await;
        for (answer, _) in std::mem::take(&mut batch.answers) {
            let _ = answer.send(Err(refusal.clone()));
        }
    }

    /// A try that was begun while it led has begun or ended.
    pub(super) async fn ended(&mut self, report: Report) {
        let now = instant(&self.world);
        if let Report::Finished { attempt, outcome } = report {
            let _ = self.core.step(now, Event::Finished { attempt, outcome });
        }
        self.stand_by_if_idle().await;
    }

    async fn stand_by_if_idle(&mut self) {
        if self.role == Role::Leaving && self.core.live_tries() == 0 {
            self.role = Role::Standby;
            self.core = Core::new(self.limits, instant(&self.world));
            // Whoever listens to this has ended only if everything ends.
            let _ = self.yielded.send(()).await;
        }
    }

    pub(super) async fn standby(&self) -> Refusal {
        let leader = match &self.leaders {
            Some(leaders) => leaders.look().await.ok().flatten(),
            None => None,
        };
        Refusal::Standby(match leader {
            Some(leader) => format!("{} leads, at {}", leader.node, leader.address),
            None => "nobody is known to lead".to_owned(),
        })
    }

    pub(super) async fn look_at_pools(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        let pools = self.store.pool_slots().await?;
        self.step(Event::SetPools(pools), batch);
        Ok(())
    }
}
