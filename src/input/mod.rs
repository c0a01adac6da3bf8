//! Input: folders, archives, globs and lists of files become sources with their bytes.
