//! The whole file system in memory: directories, files, and the faults that are planned.

use std::collections::BTreeSet;
use std::io;
use std::path::{Component, Path, PathBuf};

use tidemill_runtime::DirEntry;

use crate::SimRandom;
use crate::content::{Content, Mood};
use crate::faults::Faults;
use crate::names::{Inode, Names};

#[derive(Debug, Clone)]
pub(crate) enum Node {
    File(Content),
    Dir(Names),
}

const ROOT: Inode = 0;

#[derive(Debug)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    pub(crate) locked: BTreeSet<PathBuf>,
    pub(crate) faults: Faults,
    pub(crate) random: SimRandom,
}

impl Tree {
    pub(crate) fn new(seed: u64) -> Tree {
        Tree {
            nodes: vec![Node::Dir(Names::default())],
            locked: BTreeSet::new(),
            faults: Faults::default(),
            random: SimRandom::new(seed),
        }
    }

    /// What a power cut may leave.
    pub(crate) fn crash(&self, seed: u64) -> Tree {
        let random = SimRandom::new(seed);
        let mood = Mood::choose(&random);
        let survivor = |node: &Node| match node {
            Node::File(content) => Node::File(content.crash(mood, &random)),
            Node::Dir(names) => Node::Dir(names.crash(mood, &random)),
        };
        let nodes = self.nodes.iter().map(survivor).collect();
        Tree { nodes, locked: BTreeSet::new(), faults: Faults::default(), random }
    }

    pub(crate) fn find(&self, path: &Path) -> io::Result<Inode> {
        let mut at = ROOT;
        for name in parts(path)? {
            let inside = self.names_of(at)?;
            at = *inside.current.get(name).ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(at)
    }

    /// The directory that holds the last part of a path, and that part.
    fn parent<'p>(&self, path: &'p Path) -> io::Result<(Inode, &'p str)> {
        let mut all = parts(path)?;
        let name = all.pop().ok_or(io::ErrorKind::InvalidInput)?;
        let mut at = ROOT;
        for part in all {
            let inside = self.names_of(at)?;
            at = *inside.current.get(part).ok_or(io::ErrorKind::NotFound)?;
        }
        Ok((at, name))
    }

    fn names_of(&self, inode: Inode) -> io::Result<&Names> {
        match &self.nodes[inode] {
            Node::Dir(names) => Ok(names),
            Node::File(_) => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    pub(crate) fn names_mut(&mut self, inode: Inode) -> io::Result<&mut Names> {
        match &mut self.nodes[inode] {
            Node::Dir(names) => Ok(names),
            Node::File(_) => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    pub(crate) fn content(&self, inode: Inode) -> io::Result<&Content> {
        match &self.nodes[inode] {
            Node::File(content) => Ok(content),
            Node::Dir(_) => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    pub(crate) fn content_mut(&mut self, inode: Inode) -> io::Result<&mut Content> {
        match &mut self.nodes[inode] {
            Node::File(content) => Ok(content),
            Node::Dir(_) => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    pub(crate) fn create_file(&mut self, path: &Path) -> io::Result<Inode> {
        let (dir, name) = self.parent(path)?;
        self.names_of(dir)?;
        self.nodes.push(Node::File(Content::default()));
        let inode = self.nodes.len() - 1;
        self.names_mut(dir)?.link(name, inode);
        Ok(inode)
    }

    pub(crate) fn create_dir_all(&mut self, path: &Path) -> io::Result<()> {
        let mut at = ROOT;
        for name in parts(path)? {
            let known = self.names_of(at)?.current.get(name).copied();
            at = match known {
                Some(inode) => inode,
                None => {
                    self.nodes.push(Node::Dir(Names::default()));
                    let inode = self.nodes.len() - 1;
                    self.names_mut(at)?.link(name, inode);
                    inode
                }
            };
        }
        self.names_of(at).map(drop)
    }

    pub(crate) fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        let names = self.names_of(self.find(dir)?)?;
        let entry = |(name, inode): (&String, &Inode)| {
            let (is_dir, len) = match &self.nodes[*inode] {
                Node::Dir(_) => (true, 0),
                Node::File(content) => (false, content.len() as u64),
            };
            DirEntry { name: name.clone(), is_dir, len }
        };
        Ok(names.current.iter().map(entry).collect())
    }

    pub(crate) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let inode = self.find(from)?;
        let ((from_dir, from_name), (to_dir, to_name)) = (self.parent(from)?, self.parent(to)?);
        self.names_of(to_dir)?;
        if from_dir == to_dir {
            self.names_mut(from_dir)?.rename(from_name, to_name, inode);
        } else {
            self.names_mut(from_dir)?.unlink(from_name);
            self.names_mut(to_dir)?.link(to_name, inode);
        }
        Ok(())
    }

    pub(crate) fn remove_file(&mut self, path: &Path) -> io::Result<()> {
        self.content(self.find(path)?)?;
        let (dir, name) = self.parent(path)?;
        self.names_mut(dir)?.unlink(name);
        Ok(())
    }

    pub(crate) fn remove_dir_all(&mut self, path: &Path) -> io::Result<()> {
        let inode = self.find(path)?;
        let inside: Vec<_> = self.names_of(inode)?.current.clone().into_iter().collect();
        for (name, child) in inside {
            if matches!(self.nodes[child], Node::Dir(_)) {
                self.remove_dir_all(&path.join(&name))?;
            } else {
                self.names_mut(inode)?.unlink(&name);
            }
        }
        let (dir, name) = self.parent(path)?;
        self.names_mut(dir)?.unlink(name);
        Ok(())
    }
}

/// The names along a path from the root. A relative path starts there, too.
fn parts(path: &Path) -> io::Result<Vec<&str>> {
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::RootDir | Component::CurDir => {}
            Component::Normal(name) => {
                parts.push(name.to_str().ok_or(io::ErrorKind::InvalidInput)?);
            }
            Component::ParentDir | Component::Prefix(_) => {
                return Err(io::ErrorKind::InvalidInput.into());
            }
        }
    }
    Ok(parts)
}
