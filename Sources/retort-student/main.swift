import Students

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

exit(StudentWorker.run(arguments: Array(CommandLine.arguments.dropFirst())))
