package main

// Main is the program, for the tests that run it as their users do.
var Main = main
