//! Tells the scheduler that something in the DAG folder may have changed.

use std::path::{Path, PathBuf};

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

/// Watches the DAG folder, also one that does not exist yet.
pub(crate) struct FolderWatch {
    watcher: Option<RecommendedWatcher>,
    folder: PathBuf,
    watches_folder: bool,
}

impl FolderWatch {
    /// `changed` gets a word for every change; several changes may share one.
    pub(crate) fn new(project: &Path, folder: &Path, changed: mpsc::Sender<()>) -> FolderWatch {
        let told = move |event: notify::Result<notify::Event>| {
            // Reading a file is an event, too; and it is we who read.
            let is_read = event.as_ref().is_ok_and(|event| event.kind.is_access());
            if !is_read {
                // A full channel holds a word already.
                let _ = changed.try_send(());
            }
        };
        let watcher = notify::recommended_watcher(told).and_then(|mut watcher| {
            // So that the folder is seen when it comes.
            watcher.watch(project, RecursiveMode::NonRecursive)?;
            Ok(watcher)
        });
        let watcher = watcher.inspect_err(|error| {
            tracing::warn!(%error, "DAG files are not watched: they are looked at every few seconds");
        });
        let mut watch =
            FolderWatch { watcher: watcher.ok(), folder: folder.to_owned(), watches_folder: false };
        watch.renew();
        watch
    }

    /// Watches the folder if it has come, or come back, since.
    pub(crate) fn renew(&mut self) {
        let exists = self.folder.is_dir();
        if let Some(watcher) = &mut self.watcher
            && exists
            && !self.watches_folder
        {
            match watcher.watch(&self.folder, RecursiveMode::Recursive) {
                Ok(()) => self.watches_folder = true,
                Err(error) => {
                    tracing::warn!(%error, "the DAG folder is not watched");
                    self.watcher = None;
                }
            }
        }
        self.watches_folder &= exists;
    }

    /// Whether changes are told at all.
    pub(crate) fn is_watching(&self) -> bool {
        self.watcher.is_some()
    }
}
