// swift-tools-version: 6.1
import PackageDescription

/// Settings shared by every Swift target.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let nio: [Target.Dependency] = ["NIOCore", "NIOPosix", "NIOHTTP1"].map { .product(name: $0, package: "swift-nio") }
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

/// A library target in Sources/ (or at `path`).
func library(_ name: String, _ dependencies: [Target.Dependency] = [], path: String? = nil) -> Target {
    .target(name: name, dependencies: dependencies, path: path, swiftSettings: settings)
}

func tests(_ module: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .testTarget(
        name: "\(module)Tests", dependencies: [.byName(name: module)] + dependencies, exclude: exclude,
        swiftSettings: settings)
}

/// With TORCH_ROOT set (by scripts/torch-env) CTorch is built against the libtorch of a pip torch 2.x, which wants
/// C++20; otherwise against Debian's libtorch 1.13 in the compiler's own search path, which wants C++17.
let usesOwnTorch = Context.environment["TORCH_ROOT"].map { !$0.isEmpty } ?? false
let torchTargets: [Target] =
    usesOwnTorch ? [.systemLibrary(name: "TorchLibrary", pkgConfig: "retort-torch")] : []

let package = Package(
    name: "retort",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "retort", targets: ["retort"]),
        .executable(name: "retort-student", targets: ["retort-student"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        // Formats: values and bytes, no I/O policy.
        library("CanonicalJSON"),
        library("Safetensors", ["CanonicalJSON"]),

        // The engine.
        .systemLibrary(
            name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
        .systemLibrary(name: "CLinux"),
        library("ContentStore", ["CanonicalJSON", "CZstd", "CLinux", crypto]),
        library("StageGraph", ["CanonicalJSON", "ContentStore"]),
        library("Scheduling", ["StageGraph", "ContentStore", "CanonicalJSON"]),
        library("PipelineFile", ["StageGraph", "CanonicalJSON", yams]),

        // The network: requests that time out, are tried again, and keep their secrets.
        library("HTTPTransport", [asyncHTTPClient, nioSSL, nioTLS] + nio),
        library("StoreTiers", ["ContentStore", "HTTPTransport", "CanonicalJSON", crypto]),

        // The domain.
        library("Reasoning", ["CanonicalJSON"]),
        library("SyntheticTasks", ["Reasoning"]),
        library("Tokenization", ["CanonicalJSON"]),
        library("Teachers", ["Reasoning", "SyntheticTasks", "CanonicalJSON", crypto, grdb]),
        library("TeacherClients", ["Teachers", "HTTPTransport", "CanonicalJSON"]),
        library("LedgerSharing", ["Teachers", "StoreTiers", "ContentStore", "CanonicalJSON"]),
        library("TeacherServer", ["Teachers", "CanonicalJSON"] + nio),

        // The student engine, the only part that links libtorch.
        library("StudentJobs", ["CanonicalJSON", "Safetensors"]),
        .target(
            name: "CTorch", dependencies: usesOwnTorch ? ["TorchLibrary"] : [],
            linkerSettings: [.linkedLibrary("torch"), .linkedLibrary("torch_cpu"), .linkedLibrary("c10")]),
        library("Tensors", ["CTorch", "Safetensors"]),
        library("Students", ["Tensors", "StudentJobs", "Safetensors", "Tokenization", "CanonicalJSON"]),

        // The EDIT stages and the programs.
        library(
            "Stages",
            [
                "StageGraph", "Reasoning", "SyntheticTasks", "Teachers", "TeacherClients", "Tokenization",
                "Safetensors",
                "StudentJobs", "CanonicalJSON", "ContentStore", subprocess, systemPackage,
            ],
            path: "stages"),
        library(
            "RetortCLI",
            [
                "Stages", "StudentJobs", "Teachers", "TeacherServer", "PipelineFile", "Scheduling", "StageGraph",
                "LedgerSharing",
                "ContentStore", "StoreTiers", "HTTPTransport", "CanonicalJSON", "Reasoning", "Tokenization",
                argumentParser,
            ]),
        .executableTarget(name: "retort", dependencies: ["RetortCLI"], swiftSettings: settings),
        .executableTarget(name: "retort-student", dependencies: ["Students"], swiftSettings: settings),
        .executableTarget(
            name: "LanguageBenchmarks",
            dependencies: ["Reasoning", "Tokenization", "SyntheticTasks", "CanonicalJSON", argumentParser],
            path: "Benchmarks/Language", exclude: ["peers"], swiftSettings: settings),

        tests("CanonicalJSON"),
        .target(name: "TestServers", dependencies: nio, path: "Tests/TestServers", swiftSettings: settings),
        .target(name: "TestData", dependencies: ["CanonicalJSON"], path: "Tests/TestData", swiftSettings: settings),
        .target(name: "SeededRandomness", path: "Tests/SeededRandomness", swiftSettings: settings),
        tests("HTTPTransport", ["TestServers"]),
        tests("StoreTiers", ["TestServers", "ContentStore", "HTTPTransport", "CanonicalJSON"]),
        tests("LedgerSharing", ["Teachers", "StoreTiers", "TestServers", "ContentStore", "CanonicalJSON"]),
        tests("SyntheticTasks", ["Reasoning", "CanonicalJSON"]),
        tests("Teachers", ["SyntheticTasks", "Reasoning", "CanonicalJSON", grdb]),
        tests("TeacherClients", ["TeacherServer", "Teachers", "HTTPTransport", "CanonicalJSON"]),
        tests("Safetensors"),
        tests("StudentJobs", ["CanonicalJSON", "Safetensors"]),
        tests("Tensors"),
        tests("Students", ["retort-student", "TestData", "CanonicalJSON", "Safetensors", "StudentJobs", "Tensors"]),
        tests("Reasoning", ["CanonicalJSON", "SeededRandomness", "TestData"]),
        tests("PipelineFile", ["CanonicalJSON", "ContentStore", "StageGraph"]),
        tests("StageGraph", ["CanonicalJSON", "ContentStore", "SeededRandomness"]),
        tests("ContentStore", ["CanonicalJSON"]),
        tests(
            "RetortCLI",
            [
                "retort", "retort-student", "TeacherServer", "TestServers", "Teachers", "CanonicalJSON",
                "ContentStore", "SeededRandomness",
            ]),
        tests("Stages", ["CanonicalJSON", "ContentStore", "StageGraph", "TestData"]),
        tests("Scheduling", ["CanonicalJSON", "ContentStore", "PipelineFile", "StageGraph"]),
        tests("Tokenization", ["CanonicalJSON", "SeededRandomness", "TestData"], exclude: ["Corpus"]),
    ] + torchTargets,
    cxxLanguageStandard: usesOwnTorch ? .cxx20 : .cxx17
)
