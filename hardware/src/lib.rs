//! Scanners, receipt printers, drawers and displays.
