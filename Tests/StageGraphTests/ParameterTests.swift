import CanonicalJSON
import Testing

@testable import StageGraph

@Suite struct ParameterTests {
    private func parameters(_ given: [(String, DraftValue)]) throws -> StageParameters {
        try #require(draft([stage("a", "knobs", with: given, line: 1)]).validated(against: toys).stage("a")).parameters
    }

    private func mapping(_ members: [(String, DraftValue)]) -> DraftValue {
        .mapping(members.map { (Located($0.0), Located($0.1)) })
    }

    private func list(_ elements: [DraftValue]) -> DraftValue { .list(elements.map { Located($0) }) }

    @Test func leftOutParametersHaveTheirDefaults() throws {
        let parameters = try parameters([])
        #expect(
            JSON.object(parameters.values) == [
                "flag": false, "count": 3, "rate": 0.5, "word": nil, "mode": "fast", "list": [], "map": [:],
                "file": nil, "folder": nil, "files": [], "named": [:], "wait": 5, "box": nil,
                "shape": ["kind": "circle", "radius": 2],
            ])
        #expect(
            JSON.object(parameters.keyed) == [
                "flag": false, "count": 3, "rate": 0.5, "word": nil, "mode": "fast", "list": [], "map": [:], "box": nil,
                "shape": ["kind": "circle", "radius": 2],
            ])
        #expect(parameters.sources.isEmpty)
    }

    @Test func pathsAreCollectedByRoleAndNeverKeyed() throws {
        let parameters = try parameters([
            ("file", .scalar("a.txt")), ("folder", .scalar("/abs")),
            ("files", list([.scalar("x"), .scalar("y")])),
            ("named", mapping([("q.1", .scalar("p")), ("r", .scalar("s"))])),
            ("box", mapping([("width", .scalar(4)), ("mask", .scalar("m.png"))])),
            ("shape", mapping([("kind", .scalar("mesh")), ("path", .scalar("mesh.obj"))])),
        ])
        #expect(
            parameters.sources.map { "\($0.role)=\($0.path)\($0.isDirectory ? "/" : "")" } == [
                "box.mask=base/m.png", "file=base/a.txt", "files[0]=base/x", "files[1]=base/y", "folder=/abs/",
                "named.r=base/s", "named[\"q.1\"]=base/p", "shape.path=base/mesh.obj",
            ])
        #expect(parameters.sources[1].written == "a.txt")
        #expect(parameters.sources[1].location == at(1, 50))
        #expect(parameters.keyed["box"] == ["width": 4])
        #expect(parameters.keyed["shape"] == ["kind": "mesh", "scale": 1])
        #expect(["file", "folder", "files", "named", "wait"].allSatisfy { parameters.keyed[$0] == nil })
        #expect(parameters.values["box"] == ["width": 4, "note": "", "mask": "m.png"])
    }

    @Test func aSubstitutedPathIsRelativeToItsOrigin() throws {
        let origin = ValueOrigin("--set d=x", baseDirectory: "/here/")
        let parameters = try parameters([
            ("file", .substituted(.scalar("a"), from: origin)),
            ("files", .substituted(list([.scalar("b")]), from: origin)),
            ("folder", .substituted(.substituted(.scalar("c"), from: origin), from: ValueOrigin("outer"))),
        ])
        #expect(parameters.sources.map(\.path) == ["/here/a", "/here/b", "/here/c"])
    }

    @Test func numbersHaveOneForm() throws {
        let parameters = try parameters([
            ("rate", .scalar(1)), ("count", .scalar(.number(4))), ("map", mapping([("x", .scalar(2))])),
        ])
        guard case .number = parameters["rate"], case .integer = parameters["count"] else {
            Issue.record("a number parameter holds a number, an integer parameter an integer")
            return
        }
        #expect(parameters.double("rate") == 1)
        #expect(parameters.integer("count") == 4)
    }

    @Test func everyKindSaysWhatItTakes() {
        let given: [(String, DraftValue)] = [
            ("flag", .scalar("yes")), ("count", .scalar(2.5)), ("rate", .scalar(1.5)), ("word", .scalar(12)),
            ("mode", .scalar("fsat")), ("list", list([.scalar(1), .scalar("x"), .scalar(nil)])),
            ("map", mapping([("a", .scalar(0)), ("b", .scalar(1)), ("b", .scalar(2))])), ("file", .scalar("")),
            ("folder", .scalar(5)), ("wait", .scalar(nil)), ("box", mapping([("widht", .scalar(1))])),
            ("shape", mapping([("radius", .scalar(1))])), ("count", .scalar(1)), ("nothing", .scalar(1)),
        ]
        #expect(
            mistakes([stage("a", "knobs", with: given, line: 1)]) == """
                f:1:50: error: parameter "flag" takes true or false, found "yes"
                f:1:51: error: parameter "count" takes an integer from 1 to 10, found 2.5
                f:1:52: error: parameter "count" is given twice
                f:1:52: error: parameter "rate" takes a number from 0.0 to 1.0, found 1.5
                f:1:53: error: unknown parameter "nothing" of stage type knobs; it takes: flag, count, rate, word, mode, list, map, file, folder, files, named, wait, box, shape
                f:1:53: error: parameter "word" takes a string, found 12; write "12" in quotes
                f:1:54: error: parameter "mode" takes one of fast, slow, found "fsat"; did you mean "fast"?
                f:1:55: error: parameter "list[1]" takes an integer, found "x"
                f:1:55: error: parameter "list[2]" takes an integer, found null
                f:1:56: error: parameter "map.b" is given twice
                f:1:56: error: parameter "map.a" takes a number above 0, found 0
                f:1:57: error: parameter "file" takes the path of a file, found ""
                f:1:58: error: parameter "folder" takes the path of a directory, found 5; write "5" in quotes
                f:1:59: error: parameter "wait" takes an integer from 0 to 60, found null
                f:1:60: error: unknown parameter "box.widht" of stage type knobs; did you mean "width"? "box" takes: width, note, mask
                f:1:61: error: missing parameter "shape.kind" of stage type knobs: one of circle, mesh
                """)
    }

    @Test func aVariantTakesItsOwnParameters() {
        func shape(_ members: [(String, DraftValue)]) -> String {
            mistakes([stage("a", "knobs", with: [("shape", mapping(members))], line: 1)])
        }
        #expect(
            shape([("kind", .scalar("cirle"))])
                == "f:1:50: error: parameter \"shape.kind\" takes one of circle, mesh, found \"cirle\"; did you mean \"circle\"?"
        )
        #expect(
            shape([("kind", .scalar("circle")), ("radius", .scalar(1)), ("scale", .scalar(2))])
                == "f:1:50: error: unknown parameter \"shape.scale\" of stage type knobs; it belongs to kind mesh")
        #expect(
            shape([("kind", .scalar("circle")), ("raduis", .scalar(1))])
                == "f:1:50: error: unknown parameter \"shape.raduis\" of stage type knobs; did you mean \"radius\"? "
                + "\"shape\" of kind circle takes: kind, radius")
    }

    @Test func valuesThatDoNotFitTogetherAreLocatedAtTheParameter() {
        func strict(_ given: [(String, DraftValue)]) -> String {
            mistakes([stage("a", "strict", with: given, line: 1)])
        }
        #expect(strict([("high", .scalar(3)), ("low", .scalar(4))]) == "f:1:51: error: low is above high")
        #expect(strict([("low", .scalar(2))]) == "f:1:50: error: low is above high")
        #expect(
            strict([("inner", .mapping([(Located("deep"), Located(.scalar(7), at: at(9, 9)))]))])
                == "f:9:9: error: deep is seven")
        #expect(strict([("high", .scalar(13))]) == "f:1:10: error: thirteen")
        #expect(strict([("high", .scalar(15))]) == "f:1:10: error: stage type strict refuses its parameters: odd")
    }

    @Test func unreadableValuesBringNoFurtherMistakes() {
        #expect(
            mistakes([stage("a", "knobs", with: [("count", .unreadable), ("flag", .scalar(1))], line: 1)])
                == "f:1:51: error: parameter \"flag\" takes true or false, found 1")
    }
}
