//! What `dsregcmd /status` says of a device's join, read and held against certificate and token.
