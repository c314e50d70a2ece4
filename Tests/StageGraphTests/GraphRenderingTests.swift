import CanonicalJSON
import StageGraph
import Testing

@Suite struct GraphRenderingTests {
    private func example() throws -> Pipeline {
        try draft([
            stage("s", "source", line: 1), stage("c[a=1]", "copy", ["in: s.letters"], line: 2),
            stage("m", "merge", ["parts: c[a=1] s.letters", "order: s.numbers"], line: 3),
        ]).validated(against: toys)
    }

    @Test func mermaidShowsStagesAndLabelledArrows() throws {
        #expect(
            try example().mermaid == """
                flowchart TD
                    s0["s<br/><i>source</i>"]
                    s1["c[a=1]<br/><i>copy</i>"]
                    s2["m<br/><i>merge</i>"]
                    s0 -->|"letters → in<br/>letters/1"| s1
                    s1 -->|"out → parts[0]<br/>letters/1"| s2
                    s0 -->|"letters → parts[1]<br/>letters/1"| s2
                    s0 -->|"numbers → order<br/>numbers/3"| s2

                """)
    }

    @Test func dotShowsTheSame() throws {
        #expect(
            try example().dot == #"""
                digraph "toy" {
                    node [shape=box];
                    s0 [label="s\nsource"];
                    s1 [label="c[a=1]\ncopy"];
                    s2 [label="m\nmerge"];
                    s0 -> s1 [label="letters → in\nletters/1"];
                    s1 -> s2 [label="out → parts[0]\nletters/1"];
                    s0 -> s2 [label="letters → parts[1]\nletters/1"];
                    s0 -> s2 [label="numbers → order\nnumbers/3"];
                }

                """#)
    }

    @Test func specialCharactersAreEscaped() throws {
        let source = try #require(toys["source"]).init(StageParameters(values: .init(), keyed: .init(), sources: []))
        let node = StageNode(
            name: "a\"<b>\\#\n", stage: source,
            parameters: StageParameters(values: .init(), keyed: .init(), sources: []), inputs: [], location: nil)
        let pipeline = Pipeline(name: "x\"y", stages: [node])
        #expect(pipeline.mermaid == "flowchart TD\n    s0[\"a#34;#60;b#62;#92;#35;#10;<br/><i>source</i>\"]\n")
        #expect(
            pipeline.dot == ##"""
                digraph "x\"y" {
                    node [shape=box];
                    s0 [label="a\"<b>\\# \nsource"];
                }

                """##)
    }
}
