"""The front end: functions of the compiled subset, as text of LLVM's intermediate language."""
