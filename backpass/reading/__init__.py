"""From a program to what people read: notation, layouts, reasons, text."""
